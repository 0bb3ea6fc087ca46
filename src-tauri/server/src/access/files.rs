//! What the files say of who is who, and reading them again when they change.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tidings_ground::trail::Trails;
use tokio::time::{Instant, sleep, timeout};

use super::{
    guest::{By, Guest, NameError, check},
    jwt::{KeyError, KeyFile, Keys},
    tokens::{TokenFileError, parse_push_tokens, parse_tokens},
};

/// A change is over after this much quiet. Too low: half-written files are read; too high: it seems to do nothing.
const QUIET: Duration = Duration::from_millis(300);
/// … and the files are read after this long in any case.
const LONGEST_BURST: Duration = Duration::from_secs(3);
/// How long until a watch that could not be set up is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// A file that can't be used, and why. Holds nothing of the file but names.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", file.display())]
pub struct FileError {
    /// Which one.
    pub file: PathBuf,
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it is not UTF-8")]
    NoText,
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Names and tokens that can't be.
    #[error(transparent)]
    Names(#[from] NameError),
}

/// Where it stands who is who.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// Given by the options themselves.
    pub(super) own_tokens: BTreeMap<String, String>,
    pub(super) own_push_token: Option<String>,
    pub(super) tokens: Option<PathBuf>,
    pub(super) push_tokens: Option<PathBuf>,
    pub(super) keys: Option<KeyFile>,
}

/// What the files said. Each part is that of the last good file.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    tokens: Option<Arc<Tokens>>,
    /// Push token to the name of who pushes; `None`: anybody may.
    push: Option<Arc<HashMap<String, String>>>,
    keys: Option<Arc<Keys>>,
}

#[derive(Debug, Default)]
struct Tokens {
    /// Looked up by a keyed hash, so that the time taken doesn't tell how much of a token was right.
    users: HashMap<String, String>,
    names: HashSet<String>,
    marks: HashSet<u64>,
}

impl Files {
    /// Whether there are files by which users are told.
    pub(crate) fn tell_users(&self) -> bool {
        self.tokens.is_some() || self.keys.is_some()
    }

    pub(crate) fn read_all(&self) -> Result<Known, FileError> {
        let known = Known {
            tokens: self.tokens().transpose()?,
            push: self.push().transpose()?,
            keys: self.keys().transpose()?,
        };
        Ok(known)
    }

    /// What the files say now; of those that can't be used, what they said before.
    pub(crate) fn read_again(&self, before: &Known) -> (Known, Vec<FileError>) {
        let mut errors = Vec::new();
        let known = Known {
            tokens: keep(self.tokens(), &before.tokens, &mut errors),
            push: keep(self.push(), &before.push, &mut errors),
            keys: keep(self.keys(), &before.keys, &mut errors),
        };
        (known, errors)
    }

    fn tokens(&self) -> Option<Result<Arc<Tokens>, FileError>> {
        if self.tokens.is_none() && self.own_tokens.is_empty() {
            return None;
        }
        Some(self.read_tokens())
    }

    fn read_tokens(&self) -> Result<Arc<Tokens>, FileError> {
        let mut all = self.own_tokens.clone();
        if let Some(file) = &self.tokens {
            let read = || -> Result<_, Why> {
                let tokens = parse_tokens(&text(file)?)?;
                check(&tokens, None)?;
                Ok(tokens)
            };
            all.extend(read().map_err(|why| FileError { file: file.clone(), why })?);
        }
        Ok(Arc::new(Tokens::of(all)))
    }

    fn push(&self) -> Option<Result<Arc<HashMap<String, String>>, FileError>> {
        let own = self.own_push_token.iter().map(|token| (token.clone(), "--push-token".to_owned()));
        let mut all: HashMap<String, String> = own.collect();
        let Some(file) = &self.push_tokens else {
            return (!all.is_empty()).then(|| Ok(Arc::new(all)));
        };
        let read = || -> Result<_, Why> {
            let tokens = parse_push_tokens(&text(file)?)?;
            check(&tokens, None)?;
            Ok(tokens)
        };
        Some(match read() {
            Ok(tokens) => {
                all.extend(tokens);
                Ok(Arc::new(all))
            }
            Err(why) => Err(FileError { file: file.clone(), why }),
        })
    }

    fn keys(&self) -> Option<Result<Arc<Keys>, FileError>> {
        let keys = self.keys.as_ref()?;
        let read = || -> Result<Keys, Why> {
            match keys {
                KeyFile::One(file) => Ok(Keys::of_key(&fs::read(file)?)?),
                KeyFile::Set(file) => Ok(Keys::of_set(&fs::read(file)?)?),
            }
        };
        Some(read().map(Arc::new).map_err(|why| FileError { file: keys.path().to_owned(), why }))
    }

    fn paths(&self) -> impl Iterator<Item = &Path> + Clone {
        let keys = self.keys.as_ref().map(KeyFile::path);
        [self.tokens.as_deref(), self.push_tokens.as_deref(), keys].into_iter().flatten()
    }

    /// A watch of the files, if there are any. Nothing wakes up while nothing changes.
    pub(crate) fn watch(&self) -> Option<Watch> {
        self.paths().next()?;
        let mut watch = Watch { files: self.clone(), trails: None };
        watch.arm();
        Some(watch)
    }
}

/// The files, watched from when this was made.
pub(crate) struct Watch {
    files: Files,
    /// `None`: it could not be set up.
    trails: Option<Trails>,
}

impl Watch {
    /// Returns when a change is over. What changes afterwards is told by the next call.
    pub(crate) async fn changed(&mut self) {
        match &self.trails {
            None => sleep(RETRY).await,
            Some(trails) => {
                trails.changed().await;
                let end = Instant::now() + LONGEST_BURST;
                while Instant::now() < end && timeout(QUIET, trails.changed()).await.is_ok() {}
            }
        }
        self.arm();
    }

    fn arm(&mut self) {
        self.trails = match Trails::watch(&self.files.paths()) {
            Ok(trails) => Some(trails),
            Err(error) => {
                tracing::warn!(
                    "changes of tokens and keys are not noticed ({error}); they are read every {} s",
                    RETRY.as_secs()
                );
                None
            }
        };
    }
}

fn keep<T>(new: Option<Result<T, FileError>>, old: &Option<T>, errors: &mut Vec<FileError>) -> Option<T>
where
    T: Clone,
{
    match new? {
        Ok(new) => Some(new),
        Err(error) => {
            errors.push(error);
            old.clone()
        }
    }
}

fn text(file: &Path) -> Result<String, Why> {
    let text = String::from_utf8(fs::read(file)?).map_err(|_| Why::NoText)?;
    if text.is_empty() { Err(TokenFileError::Empty.into()) } else { Ok(text) }
}

impl Known {
    pub(crate) fn takes_tokens(&self) -> bool {
        self.tokens.is_some() || self.keys.is_some()
    }

    /// Whose token this is.
    pub(crate) fn user(&self, token: &str) -> Option<Guest> {
        let user = self.tokens.as_ref()?.users.get(token)?;
        Some(Guest { user: user.clone(), until: None, by: By::Token(mark(token, user)) })
    }

    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.keys.as_deref()
    }

    pub(crate) fn names(&self, user: &str) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.names.contains(user))
    }

    pub(crate) fn has_token(&self, mark: u64) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.marks.contains(&mark))
    }

    pub(crate) fn anybody_pushes(&self) -> bool {
        self.push.is_none()
    }

    /// Who pushes with this token.
    pub(crate) fn pusher(&self, token: &str) -> Option<&str> {
        self.push.as_ref()?.get(token).map(String::as_str)
    }
}

impl Tokens {
    fn of(users: BTreeMap<String, String>) -> Self {
        Self {
            names: users.values().cloned().collect(),
            marks: users.iter().map(|(token, user)| mark(token, user)).collect(),
            users: users.into_iter().collect(),
        }
    }
}

/// Tells a user's token from every other, without being one.
fn mark(token: &str, user: &str) -> u64 {
    let mut mark = DefaultHasher::new();
    (token, user).hash(&mut mark);
    mark.finish()
}
