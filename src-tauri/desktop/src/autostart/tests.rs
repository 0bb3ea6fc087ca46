use super::*;

fn written(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().expect("has one")).expect("made");
    std::fs::write(file, text).expect("written");
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).expect("there")
}

#[test]
fn the_entry_comes_and_goes_as_the_setting_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("autostart/tidings.desktop");
    remove(&file).expect("nothing to do");
    assert!(!file.exists());
    put(&file, "tidings", false).expect("written");
    assert!(text(&file).contains("\nExec=tidings --background\n"), "{}", text(&file));
    put(&file, "\"/opt/tidings\"", true).expect("written");
    assert!(text(&file).contains("\nExec=\"/opt/tidings\" --background\n"), "{}", text(&file));
    remove(&file).expect("removed");
    assert!(!file.exists());
}

#[test]
fn what_the_user_and_the_desktop_made_of_the_entry_stays_while_its_command_is_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tidings.desktop");
    for (old, mended) in [
        // As MATE, Cinnamon and GNOME switch it off, as XFCE and LXQt do, with keys of the user's own.
        (
            "# mine\n[Desktop Entry]\nType=Application\nName=News\nExec=\"/opt/tidings (deleted)\" --background\n\
             X-Tidings-Managed=true\nX-MATE-Autostart-enabled=false\nNotShowIn=KDE;\nX-GNOME-Autostart-Delay=10\n\
             \n[Desktop Action quit]\nExec=old --background\n",
            true,
        ),
        ("[Desktop Entry]\r\nExec=old --background\r\nX-Tidings-Managed = true\r\nHidden=true\r\n", true),
        (
            "[Desktop Entry]\nX-Tidings-Managed=true\nExec = \"/a b/x.AppImage\" --background\nOnlyShowIn=XFCE;",
            true,
        ),
        // Commands of the user's own.
        ("[Desktop Entry]\nExec=env A=1 tidings --background\nX-Tidings-Managed=true\n", false),
        ("[Desktop Entry]\nExec=sh -c \"sleep 9; tidings\" --background\nX-Tidings-Managed=true\n", false),
        ("[Desktop Entry]\nExec=tidings\nX-Tidings-Managed=true\n", false),
        // Entries of the user's own.
        ("[Desktop Entry]\nExec=old --background\n", false),
        ("[Desktop Entry]\nExec=old --background\n[X]\nX-Tidings-Managed=true\n", false),
    ] {
        written(&file, old);
        put(&file, "tidings", true).expect("good");
        let new = old
            .replacen("\"/opt/tidings (deleted)\" --", "tidings --", 1)
            .replacen("\r\nExec=old --", "\r\nExec=tidings --", 1)
            .replacen("\"/a b/x.AppImage\" --", "tidings --", 1);
        assert_eq!(text(&file), if mended { new } else { old.to_owned() });
    }
}

#[test]
fn an_entry_of_the_users_own_is_not_removed_and_one_that_was_removed_stays_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tidings.desktop");
    let theirs = "[Desktop Entry]\nExec=tidings --background\n";
    written(&file, theirs);
    remove(&file).expect("left alone");
    assert_eq!(text(&file), theirs);
    std::fs::remove_file(&file).expect("removed");
    put(&file, "tidings", true).expect("left alone");
    assert!(!file.exists());
    put(&file, "tidings", false).expect("written");
    assert!(file.exists());
}

#[test]
fn it_is_told_where_a_desktop_passes_the_entry_by() {
    for (line, desktops, off) in [
        ("", "GNOME", false),
        ("Hidden=true", "", true),
        ("Hidden = true", "KDE", true),
        ("Hidden=false", "", false),
        ("X-GNOME-Autostart-enabled=false", "ubuntu:GNOME", true),
        ("X-MATE-Autostart-enabled=false", "MATE", true),
        ("X-MATE-Autostart-enabled=true", "MATE", false),
        ("NotShowIn=KDE;MATE;", "MATE", true),
        ("NotShowIn=KDE;", "MATE", false),
        ("OnlyShowIn=GNOME;Unity;", "ubuntu:GNOME", false),
        ("OnlyShowIn=GNOME;", "XFCE", true),
        ("[Desktop Action x]\nHidden=true", "", false),
    ] {
        assert_eq!(is_off(&format!("{}{line}\n", entry("tidings")), desktops), off, "{line} on {desktops}");
    }
}

#[test]
fn the_name_is_enough_where_it_finds_the_same_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one"), folder.path().join("t w$o"));
    for bin in [&one, &two] {
        std::fs::create_dir(bin).expect("made");
        std::fs::write(bin.join("tidings"), "").expect("written");
    }
    let search = [folder.path().join("none"), one.clone(), two.clone()];
    assert_eq!(exec(&one.join("tidings"), &search).as_deref(), Some("tidings"));
    let other = two.join("tidings");
    let wanted = format!("\"{}\"", other.display().to_string().replace('$', r"\\$"));
    assert_eq!(exec(&other, &search), Some(wanted));
}

#[test]
fn any_path_is_quoted_so_that_it_is_one_argument_of_ours_again() {
    for path in
        ["/a b/tidings", "/50%/t", "/q\"uote/t", "/back\\slash/t", "/$HOME/`t`", "/ti (deleted)", "/li\nne"]
    {
        let quoted = quoted(path);
        assert!(is_one_argument(&quoted) && !quoted.contains('\n'), "{quoted}");
        let old = entry(&quoted);
        assert_eq!(with_exec(&old, "tidings"), Some(entry("tidings")), "{quoted}");
    }
}
