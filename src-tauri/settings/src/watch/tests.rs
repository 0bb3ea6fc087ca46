//! Real files, real events. Each wait has a deadline.

use std::fs;
use std::time::Duration;

use super::*;
use crate::Theme;

struct Bench {
    folder: tempfile::TempDir,
    file: PathBuf,
    edits: Edits,
}

impl Bench {
    /// The file is not yet there, nor is its folder.
    fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config/tidings/config.toml");
        let (_, looks) = Look::new();
        let (first, edits) = watch(&file, looks);
        assert_eq!(first, Ok(Settings::default()));
        Self { folder, file, edits }
    }

    /// The file has the dark theme.
    async fn dark() -> Self {
        let mut bench = Self::empty();
        fs::write(&bench.file, "theme = \"dark\"").expect("written");
        assert_eq!(bench.theme().await, Theme::Dark);
        bench
    }

    /// The named files that the next edit tells of.
    async fn changed(&mut self) -> BTreeSet<PathBuf> {
        let edit = timeout(Duration::from_secs(20), self.edits.recv()).await.expect("an edit in time");
        edit.expect("the watch goes on").changed
    }

    async fn theme(&mut self) -> Theme {
        let edit = timeout(Duration::from_secs(20), self.edits.recv()).await.expect("an edit in time");
        edit.expect("the watch goes on").settings.expect("a good file").theme
    }
}

#[tokio::test]
async fn a_missing_folder_is_made_for_its_owner_alone() {
    let bench = Bench::dark().await;
    let folder = bench.file.parent().expect("has one");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder).expect("is there").permissions());
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_write_in_place_and_a_rename_over_the_file_are_noticed() {
    let mut bench = Bench::dark().await;
    fs::write(&bench.file, "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light);
    let new = bench.file.with_extension("new");
    fs::write(&new, "theme = \"auto\"").expect("written");
    fs::rename(&new, &bench.file).expect("renamed");
    assert_eq!(bench.theme().await, Theme::Auto);
    fs::write(&bench.file, "theme = \"dark\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Dark);
}

#[tokio::test]
async fn a_wrong_file_is_an_edit_with_an_error_and_its_mend_is_the_next_edit() {
    let mut bench = Bench::dark().await;
    fs::write(&bench.file, "thema = 1").expect("written");
    let edit = timeout(Duration::from_secs(20), bench.edits.recv()).await.expect("in time").expect("goes on");
    assert!(edit.settings.expect_err("wrong").to_string().contains("did you mean `theme`?"));
    fs::write(&bench.file, "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light);
}

#[tokio::test]
async fn a_deleted_file_is_the_defaults_until_it_is_back() {
    let mut bench = Bench::dark().await;
    fs::remove_file(&bench.file).expect("removed");
    assert_eq!(bench.theme().await, Theme::Auto);
    fs::write(&bench.file, "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light);
}

#[tokio::test]
async fn a_deleted_folder_ends_nothing() {
    let mut bench = Bench::dark().await;
    let folder = bench.file.parent().expect("has one").to_owned();
    fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(bench.theme().await, Theme::Auto);
    assert!(folder.is_dir(), "it is made again, to be watched");
    fs::write(&bench.file, "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light);
    // Replaced at once, as a restore from a backup does.
    fs::rename(&folder, bench.folder.path().join("old")).expect("moved away");
    fs::create_dir(&folder).expect("made");
    fs::write(&bench.file, "theme = \"dark\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Dark);
}

#[tokio::test]
async fn an_edit_of_what_a_link_points_to_is_noticed() {
    let mut bench = Bench::dark().await;
    let elsewhere = bench.folder.path().join("dotfiles");
    fs::create_dir(&elsewhere).expect("made");
    let target = elsewhere.join("tidings.toml");
    fs::write(&target, "theme = \"light\"").expect("written");
    fs::remove_file(&bench.file).expect("removed");
    std::os::unix::fs::symlink(&target, &bench.file).expect("linked");
    assert_eq!(bench.theme().await, Theme::Light);
    fs::write(&target, "theme = \"auto\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Auto);
}

#[tokio::test]
async fn the_same_bytes_again_and_other_files_are_no_edit() {
    let mut bench = Bench::dark().await;
    fs::write(&bench.file, "theme = \"dark\"").expect("written");
    fs::write(bench.file.with_extension("bak"), "theme = \"light\"").expect("written");
    let nothing = timeout(3 * QUIET, bench.edits.recv()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    // … and the watch still works.
    fs::write(&bench.file, "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light);
}

#[tokio::test]
async fn any_link_on_the_way_pointed_elsewhere_is_noticed() {
    let mut bench = Bench::dark().await;
    let root = bench.folder.path().to_owned();
    for (release, theme) in [("1", "light"), ("2", "auto"), ("3", "dark")] {
        fs::create_dir_all(root.join("releases").join(release)).expect("made");
        fs::write(root.join(format!("releases/{release}/x.toml")), format!("theme = \"{theme}\""))
            .expect("written");
    }
    let link = |target: &str, link: PathBuf| {
        let beside = root.join("beside");
        std::os::unix::fs::symlink(target, &beside).expect("linked");
        fs::rename(beside, link).expect("renamed");
    };
    // config.toml -> profile/x.toml, profile -> current, current -> releases/1
    link("releases/1", root.join("current"));
    link("current", root.join("profile"));
    link(&root.join("profile/x.toml").display().to_string(), bench.file.clone());
    assert_eq!(bench.theme().await, Theme::Light);
    link("releases/2", root.join("current"));
    assert_eq!(bench.theme().await, Theme::Auto, "the link in the middle");
    link("releases/3", root.join("profile"));
    assert_eq!(bench.theme().await, Theme::Dark);
    fs::write(root.join("releases/3/x.toml"), "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light, "what it leads to now is watched");
    fs::rename(root.join("releases"), root.join("old")).expect("moved away");
    assert_eq!(bench.theme().await, Theme::Auto, "it leads nowhere");
    fs::rename(root.join("old"), root.join("releases")).expect("moved back");
    assert_eq!(bench.theme().await, Theme::Light);
}

#[tokio::test]
async fn a_folder_far_above_that_is_replaced_is_noticed() {
    let mut bench = Bench::dark().await;
    let root = bench.folder.path().to_owned();
    fs::create_dir_all(root.join("new/tidings")).expect("made");
    fs::write(root.join("new/tidings/config.toml"), "theme = \"light\"").expect("written");
    fs::rename(root.join("config"), root.join("old")).expect("moved away");
    fs::rename(root.join("new"), root.join("config")).expect("put in its place");
    assert_eq!(bench.theme().await, Theme::Light);
}

#[tokio::test]
async fn an_edit_by_another_name_of_the_file_is_noticed() {
    let mut bench = Bench::dark().await;
    let other = bench.folder.path().join("dotfiles.toml");
    fs::hard_link(&bench.file, &other).expect("linked");
    fs::write(&other, "theme = \"light\"").expect("written");
    assert_eq!(bench.theme().await, Theme::Light);
}

#[tokio::test]
async fn a_named_file_that_changes_is_told_of_whichever_way_it_does() {
    let mut bench = Bench::dark().await;
    let token = bench.folder.path().join("secrets/token");
    let (none, it) = (BTreeSet::new(), BTreeSet::from([token.clone()]));
    let channel = "[[channel]]\nurl = \"wss://shop.example/\"\ntoken_file = ";
    fs::write(&bench.file, format!("{channel}{:?}", token.display().to_string())).expect("written");
    assert_eq!(bench.changed().await, none);
    let folder = token.parent().expect("has one");
    fs::create_dir(folder).expect("made");
    fs::write(&token, "one").expect("written");
    assert_eq!(bench.changed().await, it, "it came, with its folder");
    fs::write(&token, "two").expect("written");
    assert_eq!(bench.changed().await, it, "in place");
    fs::write(folder.join("new"), "six").expect("written");
    fs::rename(folder.join("new"), &token).expect("renamed");
    assert_eq!(bench.changed().await, it, "by another file");
    fs::write(&bench.file, "thema = 1").expect("written");
    assert_eq!(bench.changed().await, none, "wrong settings");
    fs::remove_file(&token).expect("removed");
    assert_eq!(bench.changed().await, it, "those of the last good ones count");
}

#[tokio::test]
async fn our_own_look_at_the_file_is_no_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    fs::write(&file, "").expect("written");
    let trails = Trails::watch(&std::iter::once(file.as_path())).expect("armed");
    assert!(content(&file).is_ok());
    assert!(timeout(QUIET, trails.changed()).await.is_err(), "reading must not ask for another read");
    fs::write(&file, "x").expect("written");
    timeout(Duration::from_secs(20), trails.changed()).await.expect("writing must");
}
