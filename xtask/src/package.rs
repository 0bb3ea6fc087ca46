//! `cargo xtask package`: what is given to people, under `target/package/`.
//!
//! ```text
//! tauri build ──▶ package --files ──▶ target/package/usr     man pages, completions, licences, units, metadata
//!      ├──▶ .rpm
//!      └──▶ .deb ──▶ its control file written anew ──▶ .deb
//!                    └──▶ the same files in a plain tarball
//! ```
//!
//! There is one `.deb` for both kinds of machines. What the web view needs is recommended, not depended on, so that a
//! server takes the same package without it (`apt install --no-install-recommends`). The Tauri tools know no such
//! thing and always make WebKit a dependency.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::licences;
use crate::run::{cargo, output, program, run, say};
use crate::tools;

/// Where all of it is made and left.
const OUT: &str = "target/package";

/// What the Tauri tools pack besides programs, desktop entry and icons (`tauri.conf.json`).
const TREE: &str = "target/package/usr";

/// What lintian says and we leave as it is.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("no-manual-page", "tidings-window is opened by tidings, and tidings-server tells all by --help"),
    ("bogus-mail-host", "without DEBEMAIL there is no address to name"),
    ("bogus-mail-host-in-debian-changelog", "without DEBEMAIL there is no address to name"),
];

/// One package, as made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) deb: PathBuf,
}

/// Makes all of them and says what is in them.
pub(crate) fn make() -> anyhow::Result<Made> {
    fresh(Path::new(OUT))?;
    tools::build(&["--bundles", "deb,rpm"])?;
    let target = target_folder()?.join("release/bundle");
    let rpm = copy_to_out(&only(&target.join("rpm"), "rpm")?)?;

    let root = Path::new(OUT).join("root");
    run(program("dpkg-deb").arg("--raw-extract").arg(only(&target.join("deb"), "deb")?).arg(&root))?;
    control(&root)?;
    let deb = Path::new(OUT).join(format!("tidings_{}_{}.deb", version(), architecture()?));
    run(program("dpkg-deb").args(["--root-owner-group", "-Zxz", "--build"]).arg(&root).arg(&deb))?;

    let name = format!("tidings-{}-{}-linux", version(), env::consts::ARCH);
    let folder = Path::new(OUT).join(&name);
    fs::rename(root.join("usr"), &folder).context("cannot move the files for the tarball")?;
    let tarball = Path::new(OUT).join(format!("{name}.tar.gz"));
    let owner = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-C", OUT, "-czf"];
    run(program("tar").args(owner).arg(&tarball).arg(&name))?;
    fs::remove_dir_all(&folder).context("cannot tidy up")?;
    fs::remove_dir_all(&root).context("cannot tidy up")?;

    say(&output(program("dpkg-deb").arg("--info").arg(&deb))?);
    say(&output(program("dpkg-deb").arg("--contents").arg(&deb))?);
    lint(&deb)?;
    for file in [&deb, &rpm, &tarball] {
        let size = fs::metadata(file).with_context(|| file.display().to_string())?.len();
        say(&format!("{:>6} KiB  {}", size.div_ceil(1024), file.display()));
    }
    Ok(Made { deb })
}

/// The files of [`TREE`]; the Tauri tools call this once they have built the programs, before they pack them.
pub(crate) fn files() -> anyhow::Result<()> {
    let tree = Path::new(TREE);
    fresh(tree)?;
    let doc = folder(tree, "share/doc/tidings")?;
    let debug = env::var("TAURI_ENV_DEBUG").is_ok_and(|debug| debug == "true");
    let programs = target_folder()?.join(if debug { "debug" } else { "release" });

    // The demo's server, beside the agent; the Tauri tools build and pack the programs of the app's own package only.
    let mut server = cargo(&["build", "--locked", "-p", "tidings-server"]);
    run(server.args((!debug).then_some("--release")))?;
    copy(
        &programs.join("tidings-server").display().to_string(),
        &folder(tree, "bin")?.join("tidings-server"),
    )?;

    // What Debian and Fedora keep in places of their own is beside the tree.
    let manual = folder(Path::new(OUT), "manual")?;
    let writes = ["run", "--locked", "-p", "tidings-commands", "--example", "manual", "--"];
    run(cargo(&writes).arg(std::path::absolute(&manual)?))?;
    let bash = folder(tree, "share/bash-completion/completions")?;
    rename(&manual.join("tidings.bash"), &bash.join("tidings"))?;
    let fish = folder(tree, "share/fish/vendor_completions.d")?;
    rename(&manual.join("tidings.fish"), &fish.join("tidings.fish"))?;
    rename(&manual.join("_tidings"), &Path::new(OUT).join("_tidings"))?;
    let man = folder(tree, "share/man/man1")?;
    for page in fs::read_dir(&manual)? {
        let page = page?.path();
        let name = page.file_name().context("a page without a name")?.to_string_lossy().into_owned();
        write_zipped(&man.join(format!("{name}.gz")), &fs::read(&page)?)?;
    }
    fs::remove_dir_all(&manual).context("cannot tidy up")?;

    let mut today = date()?;
    let metainfo = fs::read_to_string("packaging/io.github.tidings.metainfo.xml")?;
    let metainfo = metainfo.replace("\"VERSION\"", &format!("\"{}\"", version()));
    let metainfo = metainfo.replace("\"DATE\"", &format!("\"{}\"", output(today.arg("+%F"))?.trim()));
    fs::write(folder(tree, "share/metainfo")?.join("io.github.tidings.metainfo.xml"), metainfo)?;

    let icons = folder(tree, "share/icons/hicolor/scalable/apps")?;
    copy("icons/icon.svg", &icons.join("tidings.svg"))?;
    let icons = folder(tree, "share/icons/hicolor/symbolic/apps")?;
    copy("icons/symbolic.svg", &icons.join("tidings-symbolic.svg"))?;
    let unit = "tidings-listen@.service";
    copy(&format!("packaging/{unit}"), &folder(tree, "lib/systemd/user")?.join(unit))?;

    // Examples, since whether a machine serves is its owner's to say.
    for unit in ["tidings-server.service", "tidings-server.socket"] {
        copy(&format!("packaging/{unit}"), &folder(&doc, "examples")?.join(unit))?;
    }

    copy("packaging/copyright", &doc.join("copyright"))?;
    write_zipped(&doc.join("NEWS.gz"), &fs::read("CHANGELOG.md")?)?;
    write_zipped(&doc.join("third-party-licences.gz"), licences::of_all()?.as_bytes())?;
    let changes = format!(
        "tidings ({}) unstable; urgency=medium\n\n  * See NEWS.gz.\n\n -- {}  {}\n",
        version(),
        maintainer(),
        output(date()?.arg("-R"))?.trim()
    );
    write_zipped(&doc.join("changelog.gz"), changes.as_bytes())
}

/// Writes the control file anew. What programs need is what their libraries say; of the window's that is recommended.
fn control(root: &Path) -> anyhow::Result<()> {
    // Looked for in the folder that it is called in.
    let debian = folder(Path::new(OUT), "debian")?;
    fs::write(debian.join("control"), "Source: tidings\n\nPackage: tidings\nArchitecture: any\n")?;
    let ask = [
        "-O",
        "-dDepends",
        "-eroot/usr/bin/tidings",
        "-eroot/usr/bin/tidings-server",
        "-dRecommends",
        "-eroot/usr/bin/tidings-window",
    ];
    let libraries = output(program("dpkg-shlibdeps").args(ask).current_dir(OUT))?;
    fs::remove_dir_all(&debian).context("cannot tidy up")?;
    let needed = |field: &str| {
        let line = libraries.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix('='));
        line.map(str::to_owned).with_context(|| format!("dpkg-shlibdeps did not tell {field}: {libraries}"))
    };

    let path = root.join("DEBIAN/control");
    let theirs = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let kept = |field: &str| {
        let line = theirs.lines().find(|line| line.starts_with(field));
        line.map(str::to_owned).with_context(|| format!("the tools' control file lacks {field}\n{theirs}"))
    };
    let control = [
        kept("Package: ")?,
        kept("Version: ")?,
        kept("Architecture: ")?,
        kept("Installed-Size: ")?,
        format!("Maintainer: {}", maintainer()),
        "Section: net".to_owned(),
        "Priority: optional".to_owned(),
        format!("Depends: {}", needed("shlibs:Depends")?),
        format!("Recommends: {}", needed("shlibs:Recommends")?),
        "Description: messages from your web app, on your desktop".to_owned(),
        " Keeps a WebSocket connection to each of your user channels, shows what arrives".to_owned(),
        " as desktop notifications, and the state of every connection in the tray.".to_owned(),
        " .".to_owned(),
        " The recommended packages are for its window. Without them all else works: tray,".to_owned(),
        " notifications, command line, and listening on machines without a desktop.".to_owned(),
    ];
    fs::write(&path, control.join("\n") + "\n").with_context(|| path.display().to_string())
}

/// Checks what those who keep Debian, AppStream and desktops look for.
fn lint(deb: &Path) -> anyhow::Result<()> {
    let metainfo = Path::new(TREE).join("share/metainfo/io.github.tidings.metainfo.xml");
    run(program("appstreamcli").args(["validate", "--no-net"]).arg(metainfo))?;
    for (tag, why) in EXCEPTIONS {
        say(&format!("lintian: {tag} is left as it is: {why}"));
    }
    let tags = EXCEPTIONS.iter().map(|(tag, _)| *tag).collect::<Vec<_>>().join(",");
    let mut lintian = program("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning", "--suppress-tags", &tags]);
    run(lintian.arg(deb))
}

/// Whom the packages are from. Those who publish them set Debian's own variables.
fn maintainer() -> String {
    let or = |name: &str, else_: &str| env::var(name).unwrap_or_else(|_| else_.to_owned());
    format!("{} <{}>", or("DEBFULLNAME", "The Tidings authors"), or("DEBEMAIL", "tidings@localhost"))
}

/// The version of the workspace.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn architecture() -> anyhow::Result<String> {
    Ok(output(program("dpkg").arg("--print-architecture"))?.trim().to_owned())
}

/// `date`, about to tell of the last change rather than of now, so that the same source gives the same packages.
fn date() -> anyhow::Result<Command> {
    let last = || output(program("git").args(["log", "-1", "--format=%ct"])).ok();
    let epoch = env::var("SOURCE_DATE_EPOCH").ok().or_else(last);
    let mut date = program("date");
    date.arg("--utc").env("LC_ALL", "C");
    if let Some(epoch) = epoch {
        date.arg("--date").arg(format!("@{}", epoch.trim()));
    }
    Ok(date)
}

/// The build folder that we are in.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let us = env::current_exe().context("cannot tell where xtask is")?;
    Ok(us.ancestors().nth(2).context("xtask is not in a target folder")?.to_owned())
}

/// The one file in a folder that ends so; left by an older version, there are more.
fn only(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    found.retain(|path| {
        path.extension().is_some_and(|its| its == ending) && path.to_string_lossy().contains(version())
    });
    ensure!(found.len() == 1, "in {} there are {found:?}", folder.display());
    Ok(found.remove(0))
}

fn copy_to_out(file: &Path) -> anyhow::Result<PathBuf> {
    let to = Path::new(OUT).join(file.file_name().context("a package without a name")?);
    fs::copy(file, &to).with_context(|| file.display().to_string())?;
    Ok(to)
}

fn fresh(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn folder(tree: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = tree.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

fn copy(from: &str, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {from} to {}", to.display()))?;
    Ok(())
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::rename(from, to).with_context(|| format!("cannot move {} to {}", from.display(), to.display()))
}

/// Without name and time in it: the same content gives the same file.
fn write_zipped(to: &Path, content: &[u8]) -> anyhow::Result<()> {
    let file = fs::File::create(to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut gzip = program("gzip");
    let mut gzip =
        gzip.args(["-9", "--no-name"]).stdin(Stdio::piped()).stdout(file).spawn().context("gzip")?;
    gzip.stdin.take().context("gzip does not listen")?.write_all(content)?;
    ensure!(gzip.wait()?.success(), "gzip failed on {}", to.display());
    Ok(())
}
