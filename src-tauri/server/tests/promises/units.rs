//! The units for systemd that the packages hold: systemd finds nothing wrong with them, and the server understands their words.

use std::{fs, path::Path, process::Command};

use crate::nats::skipped;

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging");
const SERVER: &str = env!("CARGO_BIN_EXE_tidings-server");

fn unit(name: &str) -> String {
    fs::read_to_string(Path::new(PACKAGING).join(name)).expect("a unit")
}

#[test]
fn systemd_finds_nothing_wrong_with_them() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skipped("there is no systemd-analyze (Debian package: systemd)");
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (names, of_users) in [
        (&["tidings-server.service", "tidings-server.socket"][..], false),
        (&["tidings-listen@.service"], true),
    ] {
        let mut verify = Command::new("systemd-analyze");
        verify.args(["verify", "--man=no"]).env("XDG_RUNTIME_DIR", folder.path());
        if of_users {
            verify.arg("--user");
        }
        for name in names {
            // Where the programs are that a package would bring. (The agent's isn't built for this test.)
            let text = unit(name)
                .replace("/usr/bin/tidings-server", SERVER)
                .replace("/usr/bin/tidings ", "/bin/true ");
            fs::write(folder.path().join(name), text).expect("written");
            verify.arg(folder.path().join(name));
        }
        let told = verify.output().expect("systemd-analyze");
        let words = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.success() && words.trim().is_empty(), "{names:?}: {words}");
    }
}

#[test]
fn the_server_takes_their_words_also_with_nats_among_its_options() {
    let text = unit("tidings-server.service");
    let after = |start: &str| {
        text.lines().find_map(|line| line.strip_prefix(start)).expect("such a line").trim_end_matches('"')
    };
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "ann one\n").expect("written");
    let mut words =
        after("ExecStart=/usr/bin/tidings-server ").replace("$OPTIONS", after("Environment=\"OPTIONS="));
    for file in ["/etc/tidings-server/tokens", "/etc/tidings-server/push-tokens"] {
        words = words.replace(file, tokens.to_str().expect("a path"));
    }
    words = words.replace(":8080", ":0").replace(":9464", ":0");
    let told = Command::new(SERVER)
        .args(words.split_whitespace())
        .args(["--nats", "http:// nowhere"])
        .env("STATE_DIRECTORY", folder.path())
        .output()
        .expect("a server");
    let log = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.code() == Some(1) && log.contains("is no address of NATS"), "{log}");
}
