use axum::body::Bytes;

use super::*;
use crate::{event::EventLog, log::Form, options};

const KEEP: Keep = Keep { messages: 1000, bytes: 64 << 20, age: None };
const LIMIT: Limit = Limit { messages: 128, bytes: 256 << 10 };

fn open(folder: &Path, keep: Keep) -> File {
    let users = Arc::new(Users::new(Arc::new(EventLog::new(0)), options::Devices::One));
    File::open(folder, Durability::Process, keep, users).expect("a folder that can be used")
}

fn draft(own_id: Option<&str>, text: &str) -> Draft {
    let payload = Bytes::copy_from_slice(text.as_bytes());
    Draft { own_id: own_id.map(str::to_owned), form: Form::Text, payload }
}

async fn append(file: &File, user: &str, text: &str) -> u64 {
    let kept = file.append(user, draft(None, text)).await.expect("room");
    kept.id.parse().expect("a number")
}

/// All of a user's messages after this one, page by page, and whether nothing was dropped.
async fn all(file: &File, user: &str, since: &str) -> (Vec<String>, bool) {
    let Standing { mut seq, complete, .. } = file.stand(user, since).await.expect("a file that can be read");
    let (mut texts, mut whole) = (Vec::new(), complete);
    loop {
        let page = file.after(user, seq, LIMIT).await.expect("a file that can be read");
        whole &= page.complete;
        seq = page.items.last().map_or(seq, |item| item.seq);
        let text = |item: &Item| String::from_utf8_lossy(&item.payload).into_owned();
        texts.extend(page.items.iter().map(text));
        if page.last {
            return (texts, whole);
        }
    }
}

#[tokio::test]
async fn what_is_folded_what_is_not_and_what_a_kill_left_is_one_row_of_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = open(folder.path(), KEEP);
    let mut first = None;
    let mut sent = Vec::new();
    for round in 0..3 {
        // More than wait to be folded, ann's among those of others.
        for number in 0..FRESH_MESSAGES / 2 {
            let text = format!("{round}.{number}");
            if number % 20 == 0 {
                let seq = append(&file, "ann", &text).await;
                first.get_or_insert(seq);
                sent.push(text.clone());
            }
            append(&file, ["bob", "eve", "joe"][number % 3], &text).await;
        }
        let since = first.expect("a first message").to_string();
        assert_eq!(all(&file, "ann", &since).await, (sent[1..].to_vec(), true), "round {round}");
        // As a kill does: nothing is folded at the end.
        file.close();
        file = open(folder.path(), KEEP);
        assert_eq!(all(&file, "ann", &since).await, (sent[1..].to_vec(), true), "after start {round}");
    }
}

#[tokio::test]
async fn numbers_grow_over_a_restart_also_where_the_clock_went_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = open(folder.path(), KEEP);
    let before = append(&file, "ann", "x").await;
    let later = before + 3_600_000;
    file.close();
    let other = Connection::open(folder.path().join("messages.db")).expect("a file");
    tables::set_newest(&other, later).expect("a change");
    drop(other);
    let file = open(folder.path(), KEEP);
    assert_eq!(append(&file, "ann", "y").await, later + 1);
    assert_eq!(all(&file, "ann", &before.to_string()).await, (vec!["y".to_owned()], true));
}

#[tokio::test]
async fn the_newest_are_kept_by_number_also_before_they_are_folded() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = Keep { messages: 2, ..KEEP };
    let file = open(folder.path(), keep);
    let first = append(&file, "ann", "0").await.to_string();
    for text in ["1", "2"] {
        append(&file, "ann", text).await;
    }
    assert_eq!(all(&file, "ann", &first).await, (vec!["1".into(), "2".into()], true));
    append(&file, "ann", "3").await;
    for since in [first.as_str(), "unknown", ""] {
        assert_eq!(all(&file, "ann", since).await, (vec!["2".into(), "3".into()], false), "{since:?}");
    }
    file.close();
    let file = open(folder.path(), keep);
    append(&file, "ann", "4").await;
    for since in [first.as_str(), "unknown", ""] {
        assert_eq!(all(&file, "ann", since).await, (vec!["3".into(), "4".into()], false), "{since:?}");
    }
}

#[tokio::test]
async fn the_newest_are_kept_by_size_and_by_age() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = open(folder.path(), KEEP);
    let first = append(&file, "ann", &"x".repeat(1000)).await.to_string();
    append(&file, "ann", "short").await;
    file.close();
    let file = open(folder.path(), Keep { bytes: 500, ..KEEP });
    append(&file, "ann", "newer").await;
    file.close();
    // What is over is dropped when it is folded, which a start does.
    let file = open(folder.path(), Keep { bytes: 500, ..KEEP });
    assert_eq!(all(&file, "ann", "").await.0, ["short", "newer"]);
    assert!(all(&file, "ann", &first).await.1, "it has what was dropped");
    append(&file, "ann", "newest").await;
    file.close();
    let file = open(folder.path(), Keep { age: Some(Duration::ZERO), ..KEEP });
    assert_eq!(all(&file, "ann", &first).await, (vec![], false));
}

#[tokio::test]
async fn a_client_is_found_by_its_own_ids_and_one_that_nobody_knows_gets_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = open(folder.path(), KEEP);
    for (id, text) in [("a", "0"), ("b", "1"), ("a", "2"), ("7", "3")] {
        file.append("ann", draft(Some(id), text)).await.expect("room");
    }
    for folded in [false, true] {
        let after = async |since| all(&file, "ann", since).await.0.len();
        assert_eq!([after("a").await, after("b").await, after("7").await], [3, 2, 0], "{folded}");
        for unknown in ["c", "8", "99999999999999", "99999999999999999999999", "-1"] {
            assert_eq!(after(unknown).await, 4, "{unknown}, folded: {folded}");
        }
        file.close();
        file = open(folder.path(), KEEP);
    }
    assert_eq!(all(&file, "bob", "a").await.0.len(), 0, "another user's");
}

#[tokio::test]
async fn a_device_is_known_after_a_restart_and_after_a_kill_by_the_last_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = open(folder.path(), KEEP);
    let begins = file.newest();
    file.devices.acknowledge("ann", "a", begins);
    let first = append(&file, "ann", "1").await;
    // As a kill leaves it: what came since the last message is not written.
    let copy = tempfile::tempdir().expect("a folder");
    for name in ["messages.db", "messages.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).expect("copied");
    }
    file.devices.acknowledge("ann", "a", first);
    file.close();
    let killed = open(copy.path(), KEEP);
    assert_eq!(killed.devices.reached("ann", "a"), Some(begins));
    assert!(killed.newest() > first, "somebody may have one that was not on the disk");
    let closed = open(folder.path(), KEEP);
    assert_eq!(closed.devices.reached("ann", "a"), Some(first));
}

#[tokio::test]
async fn a_copy_that_sqlite_makes_meanwhile_is_a_backup() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let file = open(folder.path(), KEEP);
    append(&file, "ann", "before").await;
    let copy = other.path().join("messages.db");
    let sqlite = Connection::open(folder.path().join("messages.db")).expect("a file");
    sqlite.execute("VACUUM INTO ?", [copy.display().to_string()]).expect("a copy");
    append(&file, "ann", "after").await;
    let restored = open(other.path(), KEEP);
    assert_eq!(all(&restored, "ann", "").await.0, ["before"]);
    append(&restored, "ann", "new").await;
    assert_eq!(all(&restored, "ann", "").await.0, ["before", "new"]);
}

#[test]
fn two_servers_do_not_share_a_folder_and_the_next_gets_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = open(folder.path(), KEEP);
    let users = Arc::new(Users::new(Arc::new(EventLog::new(0)), options::Devices::One));
    let second = File::open(folder.path(), Durability::Fsync, KEEP, users).err().expect("refused");
    assert!(matches!(second, DataError::InUse(_)), "{second}");
    file.close();
    open(folder.path(), KEEP);
}

#[test]
fn a_file_that_is_damaged_anothers_or_newer_is_told_and_left_as_it_is() {
    type Harm = fn(&Path);
    let cases: [(&str, Harm, &str); 4] = [
        (
            "no database",
            |file| fs::write(file, "not a database, but longer than its head").expect("written"),
            "damaged",
        ),
        (
            "torn off",
            |file| fs::write(file, &fs::read(file).expect("a file")[..5000]).expect("written"),
            "damaged",
        ),
        (
            "another program's",
            |file| {
                fs::remove_file(file).expect("removed");
                let other = Connection::open(file).expect("a file");
                other.execute_batch("CREATE TABLE message (x)").expect("a table");
            },
            "no file of tidings-server",
        ),
        (
            "newer",
            |file| {
                let newer = Connection::open(file).expect("a file");
                newer.pragma_update(None, "user_version", 9).expect("a change");
            },
            "written by a newer tidings-server",
        ),
    ];
    for (what, harm, told) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        open(folder.path(), KEEP).close();
        let file = folder.path().join("messages.db");
        harm(&file);
        let before = fs::read(&file).expect("a file");
        let users = Arc::new(Users::new(Arc::new(EventLog::new(0)), options::Devices::One));
        let error = File::open(folder.path(), Durability::Fsync, KEEP, users).err().expect(what);
        assert!(error.to_string().contains(told), "{what}: {error}");
        assert!(error.to_string().contains("messages.db"), "{what}: {error}");
        assert!(fs::read(&file).expect("a file") == before, "{what}: it was changed");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("some/data");
    let file = open(&data, KEEP);
    append(&file, "ann", "secret").await;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = fs::read_dir(&data).expect("a folder").map(|file| file.expect("a file")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file.path()), 0o600, "{file:?}");
    }
}
