//! Where the tools are tried: a copy of the project, a desktop, and what runs there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tidings_tests::desktop::Desktop;
use tokio::time::{Instant, sleep};

/// How long cargo may take: for a first build of everything, or until another cargo lets go of the build folder.
pub(crate) const BUILD: Duration = Duration::from_secs(20 * 60);
/// How long anything else may take.
pub(crate) const SOON: Duration = Duration::from_secs(120);
/// Between two looks.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// The variable by which our processes are known.
pub(crate) const MARK: &str = "TIDINGS_TOOLS_CHECK";

/// The version of the copy. To cargo it is thereby another project: in a build folder that both use, neither takes
/// the other's programs for its own.
pub(crate) const VERSION: &str = "99.0.0";

/// A copy of the project, a desktop, and the Tauri tools.
pub(crate) struct Place {
    pub(crate) desktop: Desktop,
    pub(crate) project: TempDir,
    /// The project's build folder: what others have written is compiled once.
    pub(crate) build: PathBuf,
    pub(crate) tauri: Vec<String>,
}

impl Place {
    pub(crate) async fn new(tauri: Vec<String>) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests are in no project")?;
        let project = tempfile::Builder::new().prefix("tidings-tools-").tempdir()?;
        copy(root, project.path())?;
        let us = std::env::current_exe()?;
        let build = us.ancestors().nth(2).context("not in a target folder")?.to_owned();
        let place = Self { desktop: Desktop::start().await?, project, build, tauri };
        let ours = format!("\nversion = \"{}\"\n", env!("CARGO_PKG_VERSION"));
        place.edit("Cargo.toml", &ours, &format!("\nversion = \"{VERSION}\"\n"))?;
        Ok(place)
    }

    /// Where the copy's programs and packages are.
    pub(crate) fn target(&self) -> PathBuf {
        self.file("target")
    }

    /// A command of the Tauri tools, in the project and on the desktop.
    pub(crate) fn tauri(&self, args: &[&str]) -> anyhow::Result<Command> {
        let (program, words) = self.tauri.split_first().context("no Tauri tools")?;
        let mut command = self.desktop.command(program);
        command.args(words).args(args).current_dir(self.project.path());
        command
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_BUILD_BUILD_DIR", &self.build)
            .env(MARK, "1");
        // The desktop has a home folder of its own; Rust is in that of the person.
        let home = PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?);
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            command.env(name, std::env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from));
        }
        Ok(command)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.project.path().join(name)
    }

    /// Changes a text in a file of the project.
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.file(name)).with_context(|| name.to_owned())?;
        ensure!(text.contains(old), "{name} does not hold {old:?} any more");
        fs::write(self.file(name), text.replacen(old, new, 1)).with_context(|| name.to_owned())
    }

    /// Whether a window of ours is to be seen.
    pub(crate) async fn window_shows(&self) -> bool {
        let search = ["search", "--onlyvisible", "--class", "tidings-window"];
        // xdotool fails where there is none.
        self.desktop.xdotool(&search).await.is_ok_and(|found| !found.trim().is_empty())
    }
}

/// Our processes by their ids, with their names.
pub(crate) fn processes() -> anyhow::Result<BTreeMap<u32, String>> {
    let mark = format!("{MARK}=1");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(id) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        // A process may end while it is looked at.
        let (Ok(name), Ok(environment)) =
            (fs::read_to_string(path.join("comm")), fs::read(path.join("environ")))
        else {
            continue;
        };
        if environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            found.insert(id, name.trim_end().to_owned());
        }
    }
    Ok(found)
}

/// The one process of ours that has this name, if there is one.
pub(crate) fn process(name: &str) -> anyhow::Result<Option<u32>> {
    Ok(processes()?.into_iter().find(|(_, its)| its == name).map(|(id, _)| id))
}

/// Waits until there is none of our processes.
pub(crate) async fn nobody_left() -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let left = processes()?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "processes are left: {left:?}");
        sleep(LOOK).await;
    }
}

/// Copies what git knows or would add.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let files = Command::new("git").args(list).current_dir(from).output().context("git is needed")?;
    ensure!(files.status.success(), "{} is no git repository", from.display());
    for name in String::from_utf8(files.stdout)?.split_terminator('\0') {
        let (from, to) = (from.join(name), to.join(name));
        // Deleted and not yet committed.
        if !from.is_file() {
            continue;
        }
        let folder = to.parent().unwrap_or(&to);
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        fs::copy(&from, &to).with_context(|| from.display().to_string())?;
    }
    Ok(())
}

/// Runs a program to its end and returns what it printed.
pub(crate) fn output<S: AsRef<OsStr>>(program: &str, args: &[S]) -> anyhow::Result<String> {
    let output =
        Command::new(program).args(args).output().with_context(|| format!("cannot start {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

#[expect(clippy::print_stdout, reason = "this is a command line")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
