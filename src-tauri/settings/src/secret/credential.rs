//! A channel's secret: where it comes from, and where it goes in the upgrade request.
//!
//! The settings say only where a secret is; [`Credentials`] fetches it when a dial first needs it and keeps it
//! until the server refuses it (D5). No error, log line or `Debug` output holds the secret.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use tidings_api::SessionKept;
use tidings_channel::{Credential, DialAsk, DialRefusal};
use tidings_ground::paths::short;
use tidings_ground::reason::SystemError;
use tidings_oauth::{Failure, ends_at};
use tidings_words::Words;
use tokio::task::JoinSet;

use super::command::{COMMAND_LIMIT, from_command};
use super::keyring::{self, Entry, KeyringError};
use super::session::{SessionJar, revision};
use super::signed_in_by::SignedInBy;
pub use super::source::{Auth, CredentialError, CredentialSource};
use super::text::LARGEST;
pub use super::text::{first_line, on_one_line, usable, usable_line};

/// Fetches a channel's credential, and keeps it.
pub struct Credentials {
    channel: String,
    source: CredentialSource,
    auth: Auth,
    command_limit: Duration,
    kept: Option<Credential>,
    /// What the last dial carried.
    carried: Option<Credential>,
    /// The number of the session that a process before this one was refused with.
    refused_before: Option<u64>,
    /// Of a channel whose user signs in.
    by: Option<SignedInBy>,
    /// When that ends, where it is known.
    ends: Option<SystemTime>,
    forget: Forget,
    readable: Option<Readable>,
    /// What the keyring had at the last look, for a session that is not in there.
    found: Option<Vec<u8>>,
    /// Waits until the keyring can be read.
    waiting: JoinSet<()>,
}

/// Whom to tell that the keyring can be read.
#[derive(Clone)]
struct Readable(Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readable")
    }
}

/// Makes [`Credentials`] forget what they keep, from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Forget(Arc<AtomicU8>);

/// What [`Forget`] asks for: nothing, …
const KEEP: u8 = 0;
/// … that the source is read again, …
const READ: u8 = 1;
/// … and that what is in memory alone goes, too.
const DROP: u8 = 2;

impl Forget {
    /// The next dial reads the secret again. A session that is in memory alone is none that could be read, and stays.
    pub fn now(&self) {
        self.0.fetch_max(READ, Ordering::AcqRel);
    }

    /// … and a session that is in memory alone makes way: somebody has put another one where it is kept, or none.
    pub fn all(&self) {
        self.0.fetch_max(DROP, Ordering::AcqRel);
    }
}

impl Credentials {
    /// Nothing is fetched yet. `channel` is the id under which the keyring has the secret.
    pub fn new(channel: &str, source: CredentialSource, auth: Auth) -> Self {
        Self {
            channel: channel.to_owned(),
            source,
            auth,
            command_limit: COMMAND_LIMIT,
            kept: None,
            carried: None,
            refused_before: None,
            by: None,
            ends: None,
            forget: Forget::default(),
            readable: None,
            found: None,
            waiting: JoinSet::new(),
        }
    }

    /// By this sign-in.
    pub fn signed_in_by(self, by: Option<SignedInBy>) -> Self {
        Self { by, ..self }
    }

    /// By the sign-in that somebody holds already, where it is the same one.
    pub fn going_on(self, before: Option<&SignedInBy>) -> Self {
        Self { by: self.by.map(|by| by.going_on(before)), ..self }
    }

    /// The session that these are of.
    pub fn session(&self) -> Option<&SessionJar> {
        self.by.as_ref()?.session()
    }

    /// When what was fetched last ends, where that is known.
    pub fn ends_at(&self) -> Option<SystemTime> {
        self.ends
    }

    /// With the number of a session that the site is known to refuse.
    pub fn refused_before(self, session: Option<u64>) -> Self {
        Self { refused_before: session, ..self }
    }

    /// The number of the session that the last dial carried.
    pub fn carried_session(&self) -> Option<u64> {
        self.carried.as_ref().filter(|_| self.session().is_some()).and_then(number)
    }

    /// Calls this as soon as a keyring that could not be read can be.
    pub fn telling(self, readable: impl Fn() + Send + Sync + 'static) -> Self {
        Self { readable: Some(Readable(Arc::new(readable))), ..self }
    }

    /// With this secret, wherever the source would find one.
    pub fn given(self, secret: String) -> Self {
        Self { kept: self.auth.with(secret), ..self }
    }

    /// Makes these forget, from elsewhere.
    pub fn forget(&self) -> Forget {
        self.forget.clone()
    }

    /// Another limit than [`COMMAND_LIMIT`].
    #[cfg(test)]
    pub(crate) fn with_command_limit(self, command_limit: Duration) -> Self {
        Self { command_limit, ..self }
    }

    /// The credential; `None` where the channel has none. Fetched at the first call, and again when `refresh` says
    /// that the last one was refused. After an error the next call tries again.
    ///
    /// # Errors
    /// What is wrong with the source, and how to mend it.
    pub async fn fetch(&mut self, refresh: bool) -> Result<Option<Credential>, CredentialError> {
        let forget = self.forget.0.swap(KEEP, Ordering::AcqRel);
        let forgotten = forget >= READ;
        let by = self.by.clone();
        if let CredentialSource::Provider(provider) = &self.source {
            let Some(SignedInBy::Provider(sign_in)) = by else {
                return Err(CredentialError::Provider(Failure::SignIn { host: provider.host().to_owned() }));
            };
            if forgotten {
                sign_in.forget().await;
            }
            // The person may have signed in since, and another dial may have renewed it.
            let (auth, carried) = (self.auth.clone(), self.kept.clone().filter(|_| refresh));
            let refused = move |token: &str| carried.is_some() && auth.with(token.to_owned()) == carried;
            let (token, ends) = sign_in.token(refused).await?;
            self.ends = ends;
            self.kept = self.auth.with(token);
            return Ok(self.kept.clone());
        }
        let again = forgotten || refresh;
        if let Some(SignedInBy::Session(session)) = by {
            if forget >= DROP {
                session.hold().await.drop_memory();
            }
            let fetched = self.fetch_session(&session, again, refresh).await;
            let found = self.found.take();
            if fetched.is_err() && self.source == CredentialSource::Keyring {
                // For another entry than the one that holds no session for this channel.
                self.waiting = JoinSet::new();
                self.listen(found);
            }
            return fetched.map(Some);
        }
        if again {
            self.kept = None;
        }
        if self.kept.is_none() && self.auth != Auth::None {
            let secret = self.read(refresh).await?;
            self.ends = secret.as_deref().and_then(ends_at);
            self.kept = secret.and_then(|secret| self.auth.with(secret));
        }
        Ok(self.kept.clone())
    }

    /// What a dial asks for. Where another secret is asked for than the one that was refused, and there is none, that is the answer.
    ///
    /// # Errors
    /// What is wrong with the source, and how to mend it.
    pub async fn for_dial(&mut self, ask: DialAsk, words: Words) -> Result<Option<Credential>, DialRefusal> {
        let fetched = self.fetch(ask.refresh_credential).await;
        let credential = fetched.map_err(|error| {
            let message = error.told(words);
            DialRefusal { cause: error.cause(), ..DialRefusal::told(message) }
        })?;
        if ask.only_if_new && !self.is_new(&credential) {
            return Err(DialRefusal::unchanged());
        }
        self.carried.clone_from(&credential);
        Ok(credential)
    }

    /// Whether this is another one than was refused, as far as is known.
    fn is_new(&self, credential: &Option<Credential>) -> bool {
        let known = self.session().is_some() && self.refused_before.is_some();
        let same = known && credential.as_ref().and_then(number) == self.refused_before;
        self.carried != *credential && !same
    }

    /// Reads the source again: whether a dial would carry, or say, another thing than the last one.
    pub async fn has_news(&mut self) -> bool {
        self.forget.now();
        match self.fetch(false).await {
            Ok(credential) => self.is_new(&credential),
            Err(_) => true,
        }
    }

    /// What the server set with the answer that opened a link.
    pub async fn set_cookies(&mut self, set_cookies: &[String]) {
        if let Some(session) = self.session() {
            session.opened(set_cookies).await;
        }
    }

    /// What the source has.
    async fn read(&mut self, refused: bool) -> Result<Option<String>, CredentialError> {
        let (name, bytes) = match &self.source {
            CredentialSource::None | CredentialSource::Provider(_) => return Ok(None),
            CredentialSource::Keyring => return self.ask_keyring(refused).await,
            CredentialSource::Env(name) => ("token_env", from_env(name)?),
            CredentialSource::File(file) => ("token_file", from_file(file)?),
            CredentialSource::Command(command) => {
                ("token_command", from_command(command, self.command_limit).await?)
            }
        };
        if self.session().is_some()
            && let Some(json) = on_one_line(&bytes)
        {
            return usable(name, json.as_bytes()).map(Some);
        }
        match &self.source {
            CredentialSource::Command(_) => usable_line(name, &bytes).map(Some),
            CredentialSource::None
            | CredentialSource::Provider(_)
            | CredentialSource::Keyring
            | CredentialSource::Env(_)
            | CredentialSource::File(_) => usable(name, &bytes).map(Some),
        }
    }

    /// All cookies that the channel's address gets. A session that is in memory alone is newer than any in the keyring, which could
    /// not take it: that one is asked only once the site has refused the newer one, or where its cookies are over.
    async fn fetch_session(
        &mut self,
        session: &SessionJar,
        again: bool,
        refused: bool,
    ) -> Result<Credential, CredentialError> {
        let mut held = session.hold().await;
        let by_keyring = self.source == CredentialSource::Keyring;
        let in_memory = by_keyring && held.kept() == Some(SessionKept::Memory);
        if held.header(session.url()).is_none() || if in_memory { refused } else { again } {
            let read = match self.read(refused).await {
                // It gives no other session than the one in memory.
                Err(CredentialError::Keyring(_)) if in_memory => None,
                read => read?,
            };
            match read {
                Some(text) => {
                    let kept = if by_keyring { SessionKept::Keyring } else { SessionKept::Settings };
                    let source = self.source.key();
                    held.read(&text, session.addresses(), kept)
                        .map_err(|_| CredentialError::NoCookies(source))?;
                }
                None if !in_memory => held.clear(),
                None => {}
            }
        }
        let credential = held.credential(session.url());
        credential.ok_or_else(|| CredentialError::NotSignedIn(session.site().to_owned()))
    }

    /// Whatever the keyring has; a channel without an entry there needs no secret, until its server says otherwise
    /// (`refused`). Where the keyring may yet have one, or another, it is listened to from then on.
    async fn ask_keyring(&mut self, refused: bool) -> Result<Option<String>, CredentialError> {
        self.waiting = JoinSet::new();
        let entry = keyring::read(&self.channel).await;
        match entry {
            Ok(Entry::Secret(secret)) => {
                let usable = usable("keyring", &secret).map(Some);
                if refused || usable.is_err() {
                    self.listen(Some(secret.clone()));
                }
                self.found = self.session().is_some().then_some(secret);
                return usable;
            }
            Ok(Entry::None) => {}
            Ok(Entry::Locked) => {
                self.listen(None);
                return Err(KeyringError::Locked.into());
            }
            Err(error) if refused => {
                tracing::warn!(channel = self.channel, "the server refuses us, and {error}");
            }
            Err(error) => tracing::debug!(channel = self.channel, %error, "dialling without a secret"),
        }
        if refused {
            self.listen(None);
        }
        Ok(None)
    }

    /// Waits for the keyring to have a secret, other than the one that was refused.
    fn listen(&mut self, refused: Option<Vec<u8>>) {
        if let Some(Readable(tell)) = self.readable.clone() {
            let channel = self.channel.clone();
            self.waiting.spawn(async move {
                keyring::readable(&channel, refused.as_deref()).await;
                tracing::info!(channel, "the keyring has the channel's secret now");
                tell();
            });
        }
    }
}

/// A number of a session's own, of which nothing of it can be told.
fn number(credential: &Credential) -> Option<u64> {
    let Credential::Header { value, .. } = credential else { return None };
    Some(revision(value))
}

/// Without what is secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("channel", &self.channel).finish_non_exhaustive()
    }
}

fn from_env(name: &str) -> Result<Vec<u8>, CredentialError> {
    let value = std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| CredentialError::Env(name.to_owned()))?;
    Ok(value.into_encoded_bytes())
}

fn from_file(file: &Path) -> Result<Vec<u8>, CredentialError> {
    let failed = |why: Option<io::Error>| CredentialError::File {
        file: file.to_owned(),
        why: why.as_ref().map(SystemError::from),
    };
    let metadata = std::fs::metadata(file).map_err(|error| failed(Some(error)))?;
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return Err(failed(None));
    }
    warn_if_shared(file, &metadata);
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|opened| io::Read::read_to_end(&mut io::Read::take(opened, LARGEST as u64 + 1), &mut bytes))
        .map_err(|error| failed(Some(error)))?;
    Ok(bytes)
}

#[cfg(unix)]
fn warn_if_shared(file: &Path, metadata: &std::fs::Metadata) {
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o044 != 0 {
        let file = short(file);
        tracing::warn!("token_file: other users may read {0}; run chmod 600 {0}", file.display());
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Path, _: &std::fs::Metadata) {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use tokio::net::unix::pipe;

    use tokio::io::AsyncReadExt;
    use tokio::time::timeout;

    use super::*;
    use crate::secret::command::COMPLAINT;

    fn bearer(source: CredentialSource) -> Credentials {
        Credentials::new("no-such-channel", source, Auth::Bearer)
    }

    fn command(text: &str) -> Credentials {
        bearer(CredentialSource::Command(text.to_owned()))
    }

    async fn secret(mut credentials: Credentials) -> Result<String, CredentialError> {
        let Some(Credential::Bearer(secret)) = credentials.fetch(false).await? else {
            panic!("not a bearer token");
        };
        Ok(secret)
    }

    async fn refusal(credentials: Credentials) -> String {
        secret(credentials).await.expect_err("no secret to be had").to_string()
    }

    #[tokio::test]
    async fn a_command_gives_its_first_line() {
        assert_eq!(secret(command("printf '  s3cret \\r\\nlogin: me\\n'")).await, Ok("s3cret".into()));
        assert_eq!(secret(command("printf s3cret")).await, Ok("s3cret".into()));
        assert_eq!(secret(command("seq 200000")).await, Ok("1".into()), "the rest is read and forgotten");
    }

    #[tokio::test]
    async fn a_command_has_nothing_to_read_from() {
        let expected = "token_command gave an empty secret; see that it holds one";
        assert_eq!(refusal(command("cat")).await, expected);
    }

    #[tokio::test]
    async fn a_failing_command_tells_its_complaint_and_not_its_output() {
        let told = refusal(command("echo s3cret; echo 'no such\n\tentry' >&2; exit 3")).await;
        assert_eq!(told, "token_command failed (exit status: 3): no such entry; run it by hand to see why");
        let long = refusal(command("seq -s x 1000 >&2; exit 1")).await;
        assert!(long.len() < COMPLAINT + 100, "{long}");
        let silent = refusal(command("exit 1")).await;
        assert_eq!(silent, "token_command failed (exit status: 1); run it by hand to see why");
    }

    #[tokio::test]
    async fn a_secret_that_no_request_can_carry_is_refused() {
        let big = refusal(command("head -c 200000 /dev/zero | tr '\\0' a")).await;
        assert_eq!(big, "token_command gave more than 64 KiB; it must give the secret alone");
        for bad in ["printf 's3\\tcret'", "printf 's3\\377cret'"] {
            let told = refusal(command(bad)).await;
            assert!(told.contains("control characters") && !told.contains("s3"), "{told}");
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_no_part_of_a_secret_wherever_it_comes_from() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| "\u{FEFF}s3crét\r\nmore".encode_utf16().flat_map(unit).collect();
        let little: Vec<u8> = utf16(u16::to_le_bytes);
        let big: Vec<u8> = utf16(u16::to_be_bytes);
        let (short_little, short_big) = (&little[..little.len() - 8], &big[..big.len() - 8]);
        let nested = "\u{FEFF}\u{FEFF} s3crét\u{200B}\n".as_bytes();
        for bytes in ["\u{FEFF}s3crét\r\n".as_bytes(), nested, short_little, short_big] {
            fs::write(&file, bytes).expect("written");
            assert_eq!(secret(bearer(CredentialSource::File(file.clone()))).await, Ok("s3crét".into()));
        }
        for bytes in ["\u{FEFF}s3crét\r\nmore\n".as_bytes(), &little, &big] {
            fs::write(&file, bytes).expect("written");
            let cat = format!("cat '{}'", file.display());
            assert_eq!(secret(command(&cat)).await, Ok("s3crét".into()), "{bytes:?}");
            let first = first_line(bytes).expect("readable");
            assert_eq!(usable_line("stdin", &first), Ok("s3crét".into()), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_half_of_utf16_or_has_marks_that_nobody_sees_is_refused_and_told() {
        let half_pair = [0xFF, 0xFE, 0x41, 0, 0, 0xD8];
        let half_unit = [0xFF, 0xFE, 0x41, 0, 0x42];
        let without_mark = [0x41, 0, 0x42, 0];
        for bytes in [&half_pair[..], &half_unit, &without_mark, "s3\u{FEFF}cret".as_bytes()] {
            let told = usable("token_file", bytes).expect_err("no secret").to_string();
            assert!(told.contains("invisible"), "{told}");
        }
        let with_newline = [0xFF, 0xFE, 0x41, 0, b'\n'];
        assert_eq!(usable("token_file", &with_newline), Ok("A".into()), "as `echo >>` leaves it");
        for mark in ["\u{FEFF}", "\u{FEFF}\n"] {
            assert_eq!(usable("token_file", mark.as_bytes()), Err(CredentialError::Empty("token_file")));
        }
    }

    /// The other end of a named pipe that a command's descendants hold open: ends when the last of them is gone.
    fn lifeline(folder: &Path) -> (String, pipe::Receiver) {
        let path = folder.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        let end = pipe::OpenOptions::new().open_receiver(&path).expect("opened");
        (path.display().to_string(), end)
    }

    async fn ends(mut line: pipe::Receiver) {
        let mut read = String::new();
        let end = line.read_to_string(&mut read);
        timeout(Duration::from_secs(20), end).await.expect("all are dead").expect("readable");
        assert_eq!(read, "up\n");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let (pipe, line) = lifeline(folder.path());
        let hangs = command(&format!("exec 3>'{pipe}'; echo up >&3; echo s3cret; sleep 600 & sleep 600"))
            .with_command_limit(Duration::from_millis(200));
        assert_eq!(
            refusal(hangs).await,
            "token_command took longer than 200ms and was killed; run it by hand to see what it waits for"
        );
        ends(line).await;
    }

    #[tokio::test]
    async fn a_fetch_that_is_dropped_leaves_no_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let (pipe, line) = lifeline(folder.path());
        let mut hangs = command(&format!("exec 3>'{pipe}'; echo up >&3; sleep 600 & sleep 600"));
        tokio::select! {
            ended = hangs.fetch(false) => panic!("it can't have ended: {ended:?}"),
            up = timeout(Duration::from_secs(20), line.readable()) => up.expect("in time").expect("readable"),
        }
        ends(line).await;
    }

    #[tokio::test]
    async fn what_a_command_leaves_running_keeps_nobody_waiting() {
        let started = Instant::now();
        assert_eq!(secret(command("sleep 30 & echo s3cret; echo $! >&2")).await, Ok("s3cret".into()));
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_secret_is_fetched_once_and_again_when_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let count = folder.path().join("count");
        let text = format!("echo >> '{0}'; wc -l < '{0}'", count.display());
        let mut credentials = command(&text);
        for (refresh, expected) in [(false, "1"), (false, "1"), (true, "2"), (false, "2")] {
            let fetched = credentials.fetch(refresh).await.expect("it works");
            assert_eq!(fetched, Some(Credential::Bearer(expected.to_owned())));
        }
    }

    #[tokio::test]
    async fn a_file_is_read_again_when_refused_and_an_error_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let mut credentials = bearer(CredentialSource::File(file.clone()));
        let told = credentials.fetch(false).await.expect_err("no file yet").to_string();
        assert!(told.contains(&file.display().to_string()), "{told}");
        for (content, refresh, expected) in
            [(" one\n", false, "one"), ("two", false, "one"), ("two", true, "two")]
        {
            fs::write(&file, content).expect("written");
            let fetched = credentials.fetch(refresh).await.expect("it works");
            assert_eq!(fetched, Some(Credential::Bearer(expected.to_owned())));
        }
        fs::write(&file, "s3cret\nmore").expect("written");
        let told = credentials.fetch(true).await.expect_err("two lines").to_string();
        assert!(told.starts_with("token_file gave what can't be a secret"), "{told}");
        fs::write(&file, vec![b'a'; LARGEST + 1]).expect("written");
        assert_eq!(credentials.fetch(false).await, Err(CredentialError::TooLarge("token_file")));
        let folder = refusal(bearer(CredentialSource::File(folder.path().to_owned()))).await;
        assert!(folder.ends_with("it is not a file; correct its path or its permissions"), "{folder}");
    }

    #[tokio::test]
    async fn a_variable_is_read_and_its_absence_told() {
        let read = secret(bearer(CredentialSource::Env("CARGO_PKG_NAME".into()))).await;
        assert_eq!(read, Ok("tidings-settings".into()));
        assert_eq!(
            refusal(bearer(CredentialSource::Env("TIDINGS_NOT_SET".into()))).await,
            "token_env: the variable TIDINGS_NOT_SET is not set or empty; set it where Tidings is started"
        );
    }

    /// A session as it comes from this text in a file and from a command.
    async fn session(text: &str) -> Vec<Result<Option<Credential>, CredentialError>> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("session");
        fs::write(&file, text).expect("written");
        let url = tidings_channel::ChannelUrl::parse("wss://shop.example/ws", false).expect("a good URL");
        let mut found = Vec::new();
        let command = CredentialSource::Command(format!("cat '{}'", file.display()));
        for source in [CredentialSource::File(file), command] {
            let jar = SessionJar::new("no-such-channel", url.clone(), [], "shop.example");
            found.push(
                Credentials::new("none", source, Auth::Session)
                    .signed_in_by(Some(SignedInBy::Session(jar)))
                    .fetch(false)
                    .await,
            );
        }
        found
    }

    #[tokio::test]
    async fn a_session_is_a_whole_header_or_json_on_any_number_of_lines() {
        let both = "[\n  { \"name\": \"a\", \"value\": \"1\", \"path\": \"/ws\" },\n  { \"name\": \"b\", \"value\": \"2\" }\n]\n";
        for text in ["a=1; b=2\n", "Cookie: a=1; b=2", both] {
            for found in session(text).await {
                let value = "a=1; b=2".to_owned();
                assert_eq!(
                    found,
                    Ok(Some(Credential::Header { name: "Cookie".to_owned(), value })),
                    "{text}"
                );
            }
        }
        for (text, told) in [("s3cret\n", "gave no cookies"), ("[]", "not signed in at shop.example")] {
            for found in session(text).await {
                let why = found.expect_err("no session").to_string();
                assert!(why.contains(told) && !why.contains("s3cret"), "{text}: {why}");
            }
        }
    }

    #[tokio::test]
    async fn a_dial_that_wants_another_session_than_the_one_that_was_refused_gets_none_until_there_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("session");
        let url = tidings_channel::ChannelUrl::parse("wss://shop.example/ws", false).expect("a good URL");
        let jar = SessionJar::new("no-such-channel", url, [], "shop.example");
        let source = CredentialSource::File(file.clone());
        let mut credentials =
            Credentials::new("none", source, Auth::Session).signed_in_by(Some(SignedInBy::Session(jar)));
        let first = DialAsk::default();
        let another = DialAsk { refresh_credential: true, only_if_new: true, ..first };
        let header =
            |value: &str| Some(Credential::Header { name: "Cookie".to_owned(), value: value.to_owned() });
        fs::write(&file, "sid=1").expect("written");
        assert_eq!(credentials.for_dial(first, Words::default()).await, Ok(header("sid=1")));
        let none = credentials.for_dial(another, Words::default()).await.expect_err("the same");
        assert!(none.unchanged);
        fs::write(&file, "sid=2").expect("written");
        assert_eq!(credentials.for_dial(another, Words::default()).await, Ok(header("sid=2")));
        credentials.set_cookies(&["sid=3; Path=/".to_owned()]).await;
        assert_eq!(credentials.for_dial(first, Words::default()).await, Ok(header("sid=3")));
        let reread = DialAsk { refresh_credential: true, ..first };
        assert_eq!(
            credentials.for_dial(reread, Words::default()).await,
            Ok(header("sid=3")),
            "the file says no more"
        );
    }

    #[tokio::test]
    async fn a_secret_goes_where_auth_says() {
        let name = String::from("n");
        let forms = [
            (Auth::None, None),
            (Auth::Bearer, Some(Credential::Bearer("s".into()))),
            (
                Auth::Basic { username: name.clone() },
                Some(Credential::Basic { username: name.clone(), password: "s".into() }),
            ),
            (
                Auth::Header { name: name.clone() },
                Some(Credential::Header { name: name.clone(), value: "s".into() }),
            ),
            (
                Auth::Query { name: name.clone() },
                Some(Credential::Query { name: name.clone(), value: "s".into() }),
            ),
            (Auth::Cookie { name: name.clone() }, Some(Credential::Cookie { name, value: "s".into() })),
        ];
        for (auth, expected) in forms {
            let mut credentials = Credentials::new("none", CredentialSource::Command("echo s".into()), auth);
            assert_eq!(credentials.fetch(false).await, Ok(expected));
        }
        for nowhere in [CredentialSource::None, CredentialSource::Keyring] {
            assert_eq!(bearer(nowhere).fetch(false).await, Ok(None));
        }
    }
}
