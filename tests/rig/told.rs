//! Everything that Tidings tells, gathered from wherever it is told, to look for secrets in all of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use tidings_server::Server;

use crate::scene::channel;

/// In every secret that a test plants, and in nothing else.
pub const PLANTED: &str = "s3cr3t";
/// The same as Basic sends it: the start of the base64 of `me:s3cr3t`.
const ENCODED: &str = "bWU6czNjcjN0";

/// Characters before and behind a secret that are told of its place.
const AROUND: usize = 200;

/// The variables that [`environment`] sets.
pub const GIVEN: [&str; 2] = ["PLANTED", "HTTPS_PROXY"];

/// Variables with a secret in each.
pub fn environment() -> [(&'static str, String); 2] {
    let [token, proxy] = GIVEN;
    [(token, format!("{PLANTED}-env")), (proxy, format!("http://me:{PLANTED}-proxy@127.0.0.1:9"))]
}

/// Settings of a channel for each place where a secret can be but the keyring, and for each way to send one. Those in
/// files are in this folder. "Far" is behind the proxy of [`environment`].
pub fn channels(server: &Server, folder: &Path) -> anyhow::Result<String> {
    let file = |name: &str| -> anyhow::Result<String> {
        let file = folder.join(name);
        fs::write(&file, format!("{PLANTED}-{name}\n"))?;
        Ok(file.display().to_string())
    };
    let session = folder.join("session");
    fs::write(&session, format!("JSESSIONID={PLANTED}-a; SRV={PLANTED}-b\n"))?;
    let mut settings = channel("Far", "wss://far.invalid/ws");
    for (name, keys) in [
        ("File", format!("token_file = {:?}\n", file("file")?)),
        ("Env", "token_env = \"PLANTED\"\nauth = { header = \"X-Api-Key\" }\n".to_owned()),
        (
            "Command",
            format!("token_command = \"cat {}\"\nauth = {{ query = \"token\" }}\n", file("command")?),
        ),
        ("Complaint", format!("token_command = \"cat {}; exit 1\"\n", file("complaint")?)),
        ("Basic", format!("token_file = {:?}\nauth = \"basic\"\nusername = \"me\"\n", file("basic")?)),
        ("Cookie", format!("token_file = {:?}\nauth = {{ cookie = \"sid\" }}\n", file("cookie")?)),
        ("Session", format!("token_file = {:?}\nauth = \"session\"\n", session.display().to_string())),
    ] {
        settings += &(channel(name, &server.url(&name.to_lowercase())) + &keys);
    }
    Ok(settings)
}

/// What was told, by where it was.
#[derive(Debug, Default)]
pub struct Told(Vec<(String, String)>);

impl Told {
    /// This was told here.
    pub fn add(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    /// All files in this folder and below.
    pub fn add_files(&mut self, folder: &Path) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.add_files(&entry.path())?;
            } else if kind.is_file() {
                // Some are gone again as soon as they were there.
                let Ok(bytes) = fs::read(entry.path()) else { continue };
                // With a line of its own, so that an empty file is something told, too.
                let text = format!("a file\n{}", String::from_utf8_lossy(&bytes));
                self.add(entry.path().display().to_string(), text);
            }
        }
        Ok(())
    }

    /// The command line and the environment of every process that has this home. Variables that the user `gave` are his
    /// own, and everything that he starts has them.
    pub fn add_processes(&mut self, home: &Path, gave: &[&str]) -> anyhow::Result<()> {
        let home = format!("HOME={}", home.display());
        for entry in fs::read_dir("/proc")? {
            let process = entry?.path();
            // It may have ended meanwhile, or be none.
            let (Ok(own), Ok(line)) = (fs::read(process.join("environ")), fs::read(process.join("cmdline")))
            else {
                continue;
            };
            let own = String::from_utf8_lossy(&own);
            if own.split('\0').any(|variable| variable == home) {
                self.add("a process title", String::from_utf8_lossy(&line));
                let given =
                    |variable: &&str| gave.iter().any(|name| variable.split('=').next() == Some(name));
                let own: Vec<&str> = own.split('\0').filter(|variable| !given(variable)).collect();
                self.add("an environment", own.join("\n"));
            }
        }
        Ok(())
    }

    /// What `tidings diagnostics` packed, which must be its owner's alone.
    pub fn add_archive(&mut self, archive: &Path) -> anyhow::Result<()> {
        ensure!(fs::metadata(archive)?.permissions().mode() & 0o777 == 0o600);
        self.add("the archive", unpacked(archive)?);
        Ok(())
    }

    /// How much was told.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails where a secret was told, and where there was nothing to look at.
    pub fn holds_none(&self) -> anyhow::Result<()> {
        for (place, text) in &self.0 {
            ensure!(!text.is_empty(), "nothing told: {place}");
            for secret in [PLANTED, ENCODED] {
                let Some((before, after)) = text.split_once(secret) else { continue };
                let before: String = before.chars().rev().take(AROUND).collect();
                let before: String = before.chars().rev().collect();
                let after: String = after.chars().take(AROUND).collect();
                bail!("{place}: …{before}{secret}{after}…");
            }
        }
        Ok(())
    }
}

/// The names and the contents of all that is in an archive.
pub fn unpacked(archive: &Path) -> anyhow::Result<String> {
    let output = Command::new("tar").arg("-xzvOf").arg(archive).output().context("no tar")?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned())
}
