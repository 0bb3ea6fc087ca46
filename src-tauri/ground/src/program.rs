//! Where our programs are.
//!
//! The path that we run by is not ours for good. An upgrade puts another file there, and the system then tells ours as
//! deleted; a link such as `/usr/bin/tidings` leads elsewhere with the next version; and what stands in the environment may
//! be meant for another program, which started us. So the path is looked at when we start, while all of it is
//! in step, kept as it was typed if it leads to us, and asked again whether a program is there when it is needed.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tokio::process::Command;

/// Our own program's name.
const NAME: &str = "tidings";

/// What an image tells the program in it of itself.
const IMAGES: [&str; 4] = ["APPIMAGE", "APPDIR", "ARGV0", "OWD"];

/// What the system puts behind the path of a program whose file is gone.
const GONE: &[u8] = b" (deleted)";

static STARTED: LazyLock<Started> = LazyLock::new(Started::now);

/// By what we were started, as it was then.
#[derive(Debug, Default)]
struct Started {
    /// The whole image, if we run from one.
    image: Option<PathBuf>,
    /// As it was typed.
    typed: Option<PathBuf>,
    /// As the system tells it, without links.
    program: Option<PathBuf>,
}

/// Looks by what we were started. To be called before an upgrade can come.
pub fn look() {
    LazyLock::force(&STARTED);
}

/// What starts this program, today and after an upgrade.
pub fn lasting() -> Option<PathBuf> {
    STARTED.lasting(env::current_exe().ok().as_deref())
}

/// The program of this name that is installed with ours.
pub fn beside(name: &str) -> std::io::Result<PathBuf> {
    Ok(STARTED.beside(&env::current_exe()?, name))
}

/// Leaves out of a program's environment what was meant for the one that started us: a program out of an image (a terminal,
/// an editor) is given its own libraries and files there.
pub fn clean(command: &mut Command) {
    let of_image = env::var_os("APPIMAGE").and(env::var_os("APPDIR")).map(PathBuf::from);
    let (Some(mounted), None) = (of_image.filter(|folder| folder.parent().is_some()), &STARTED.image) else {
        return;
    };
    let mut variables: BTreeMap<OsString, OsString> = env::vars_os().collect();
    for (name, value) in command.as_std().get_envs() {
        match value {
            Some(value) => variables.insert(name.to_owned(), value.to_owned()),
            None => variables.remove(name),
        };
    }
    for (name, value) in cleaned(&mounted, variables.into_iter()) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Each variable of which something lies in a foreign image, with what is left of it.
fn cleaned(
    mounted: &Path,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, Option<OsString>)> {
    let clean = |(name, value): (OsString, OsString)| {
        if IMAGES.iter().any(|known| name == *known) {
            return Some((name, None));
        }
        let parts: Vec<PathBuf> = env::split_paths(&value).collect();
        let ours: Vec<&PathBuf> = parts.iter().filter(|part| !part.starts_with(mounted)).collect();
        if ours.len() == parts.len() {
            return None;
        }
        let value = env::join_paths(ours).ok().filter(|value| !value.is_empty());
        Some((name, value))
    };
    variables.filter_map(clean).collect()
}

impl Started {
    fn now() -> Self {
        let program = env::current_exe().ok().map(|file| present(&file));
        let search = env::var_os("PATH").unwrap_or_default();
        let search: Vec<PathBuf> = env::split_paths(&search).collect();
        let path_of = |name: &str| env::var_os(name).map(PathBuf::from);
        let by = |program: &PathBuf| Self {
            image: image(program, path_of("APPIMAGE"), path_of("APPDIR")),
            typed: env::args_os().next().and_then(|asked| typed(program, &asked, &search)),
            program: Some(program.clone()),
        };
        program.as_ref().map(by).unwrap_or_default()
    }

    /// `now`: what the system tells by now.
    fn lasting(&self, now: Option<&Path>) -> Option<PathBuf> {
        let known = [&self.image, &self.typed, &self.program].into_iter().flatten().cloned();
        known.chain(now.map(present)).find(|file| file.is_file())
    }

    /// Where there is none, it is where it should be.
    fn beside(&self, now: &Path, name: &str) -> PathBuf {
        let typed = self.typed.iter().flat_map(|typed| [typed.canonicalize().ok(), Some(typed.clone())]);
        let known = [Some(present(now)), self.program.clone()].into_iter().chain(typed).flatten();
        let mut places = known.map(|file| file.with_file_name(name));
        let usual = present(now).with_file_name(name);
        places.find(|file| file.is_file()).unwrap_or(usual)
    }
}

/// The path of a program's file, or where it was.
fn present(file: &Path) -> PathBuf {
    match file.as_os_str().as_bytes().strip_suffix(GONE) {
        Some(path) if !file.exists() => PathBuf::from(OsStr::from_bytes(path)),
        Some(_) | None => file.to_owned(),
    }
}

/// The image that we run from. Where a program out of one started us, these variables tell of that one.
fn image(program: &Path, image: Option<PathBuf>, mounted: Option<PathBuf>) -> Option<PathBuf> {
    let mounted = mounted?.canonicalize().ok()?;
    image.filter(|image| image.is_absolute() && program.starts_with(mounted))
}

/// What was typed, as a path, if it leads to our program: there may be anything in it.
fn typed(program: &Path, typed: &OsStr, search: &[PathBuf]) -> Option<PathBuf> {
    let path = if typed.as_bytes().contains(&b'/') {
        std::path::absolute(typed).ok()?
    } else {
        search.iter().map(|folder| folder.join(typed)).find(|file| file.is_absolute() && file.is_file())?
    };
    let real = path.canonicalize().ok()?;
    // A script beside it that sets it up, as Nix makes one, is the program for everybody.
    let wrapper = real.parent() == program.parent() && real.file_name() == Some(OsStr::new(NAME));
    (real == program || wrapper).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn file(path: PathBuf) -> PathBuf {
        fs::create_dir_all(path.parent().expect("has one")).expect("made");
        fs::write(&path, "").expect("written");
        path
    }

    fn deleted(path: &Path) -> PathBuf {
        PathBuf::from(OsString::from_vec([path.as_os_str().as_bytes(), GONE].concat()))
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        (folder, root)
    }

    #[test]
    fn a_link_is_kept_as_it_was_typed_and_what_leads_elsewhere_is_not_believed() {
        let (_folder, root) = folder();
        let program = file(root.join("releases/1/tidings"));
        let other = file(root.join("other/tidings"));
        fs::create_dir(root.join("bin")).expect("made");
        let link = root.join("bin/tidings");
        symlink(&program, &link).expect("linked");
        let search = [root.join("none"), root.join("bin"), root.join("other")];
        for (asked, expected) in [
            (link.as_os_str(), Some(&link)),
            (program.as_os_str(), Some(&program)),
            (OsStr::new("tidings"), Some(&link)),
            (other.as_os_str(), None),
            (OsStr::new("anything"), None),
            (OsStr::new(""), None),
        ] {
            assert_eq!(typed(&program, asked, &search).as_ref(), expected, "{asked:?}");
        }
        // Nix's wrapper, by its link in the profile.
        let wrapped = file(root.join("releases/1/.tidings-wrapped"));
        assert_eq!(typed(&wrapped, link.as_os_str(), &[]), Some(link));
    }

    #[test]
    fn an_upgrade_leaves_a_path_that_starts_the_new_program() {
        let (_folder, root) = folder();
        let program = file(root.join("bin/tidings"));
        let started = Started { image: None, typed: Some(program.clone()), program: Some(program.clone()) };
        // Renamed over it, and moved away for it.
        for now in [deleted(&program), root.join("bin/tidings.old")] {
            assert_eq!(started.lasting(Some(&now)), Some(program.clone()), "{now:?}");
        }
        // Started in between, when all that is known is that it is gone.
        let late = Started { program: Some(present(&deleted(&program))), ..Started::default() };
        assert_eq!(late.lasting(Some(&deleted(&program))), Some(program.clone()));
        // Moved for good.
        let moved = root.join("opt/tidings");
        fs::create_dir(root.join("opt")).expect("made");
        fs::rename(&program, &moved).expect("moved");
        assert_eq!(started.lasting(Some(&moved)), Some(moved.clone()));
        fs::remove_file(&moved).expect("removed");
        assert_eq!(started.lasting(Some(&deleted(&moved))), None, "nothing starts it any more");
        // One that is really called so.
        let odd = file(deleted(&program));
        assert_eq!(Started::default().lasting(Some(&odd)), Some(odd));
    }

    #[test]
    fn an_image_counts_if_we_run_from_it_and_not_if_a_program_out_of_it_started_us() {
        let (_folder, root) = folder();
        let inside = file(root.join("mount/usr/bin/tidings"));
        let installed = file(root.join("bin/tidings"));
        let image = file(root.join("Tidings.AppImage"));
        let of =
            |program: &Path, mounted: Option<PathBuf>| super::image(program, Some(image.clone()), mounted);
        assert_eq!(of(&inside, Some(root.join("mount"))), Some(image.clone()));
        assert_eq!(of(&installed, Some(root.join("mount"))), None);
        assert_eq!(of(&installed, None), None);
    }

    #[test]
    fn what_a_foreign_image_put_into_the_environment_is_not_handed_on() {
        let variables = [
            ("APPIMAGE", "/home/ann/Editor.AppImage"),
            ("APPDIR", "/tmp/.mount_Ed"),
            ("LD_LIBRARY_PATH", "/tmp/.mount_Ed/usr/lib:/opt/lib"),
            ("GIO_MODULE_DIR", "/tmp/.mount_Ed/usr/lib/gio"),
            ("PATH", "/tmp/.mount_Ed/usr/bin:/usr/bin:/bin"),
            ("XDG_DATA_DIRS", "/usr/share"),
            ("DISPLAY", ":0"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into())).into_iter();
        let cleaned = cleaned(Path::new("/tmp/.mount_Ed"), variables);
        let told = |(name, value): &(OsString, Option<OsString>)| format!("{name:?}={value:?}");
        assert_eq!(
            cleaned.iter().map(told).collect::<Vec<_>>(),
            [
                "\"APPIMAGE\"=None",
                "\"APPDIR\"=None",
                "\"LD_LIBRARY_PATH\"=Some(\"/opt/lib\")",
                "\"GIO_MODULE_DIR\"=None",
                "\"PATH\"=Some(\"/usr/bin:/bin\")",
            ]
        );
    }

    #[test]
    fn the_window_is_found_beside_ours_before_and_after_an_upgrade() {
        let (_folder, root) = folder();
        let program = file(root.join("releases/1/tidings"));
        let window = file(root.join("releases/1/tidings-window"));
        symlink("releases/1", root.join("current")).expect("linked");
        let typed = root.join("current/tidings");
        let started = Started { image: None, typed: Some(typed), program: Some(program.clone()) };
        assert_eq!(started.beside(&program, "tidings-window"), window);
        assert_eq!(started.beside(&deleted(&program), "tidings-window"), window, "the same folder");
        // The next release, and the old one is gone.
        fs::rename(root.join("releases/1"), root.join("releases/2")).expect("moved");
        fs::remove_file(root.join("current")).expect("removed");
        symlink("releases/2", root.join("current")).expect("linked");
        let found = started.beside(&deleted(&program), "tidings-window");
        assert_eq!(found, root.join("releases/2/tidings-window"));
        assert_eq!(
            started.beside(&deleted(&program), "tidings-server"),
            root.join("releases/1/tidings-server")
        );
    }
}
