//! Edits of a real file, without a keyring.

use std::fs;
use std::time::Duration;

use super::*;
use crate::watch;

struct Bench {
    folder: tempfile::TempDir,
    file: SettingsFile,
    /// Who takes the settings up at once.
    _taking: tokio::task::JoinHandle<()>,
}

const FILE: &str = "\
# Mine.
theme = \"dark\" # eyes

[[channel]]
name = \"Orders\"
url = \"wss://shop.example/ws\"
";

impl Bench {
    fn start(text: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        if let Some(text) = text {
            fs::write(&path, text).expect("written");
        }
        let (look, looks) = Look::new();
        let (_, mut edits) = watch(&path, looks);
        let taking = tokio::spawn(async move { while edits.recv().await.is_some() {} });
        Self { folder, file: SettingsFile::new(path, look), _taking: taking }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file.path).expect("read")
    }

    fn by_hand(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from));
        fs::write(&self.file.path, text.replace(from, to)).expect("written");
    }

    async fn edit(&self, revision: &str, edits: &[Edit]) -> Result<SettingsReport, Refusal> {
        let edit = self.file.edit(revision, edits.to_vec(), Words::default());
        tokio::time::timeout(Duration::from_secs(20), edit).await.expect("in time")
    }
}

fn set(channel: Option<&str>, key: &str, value: Json) -> Edit {
    Edit::Set { channel: channel.map(str::to_owned), key: key.to_owned(), value }
}

fn remove(channel: &str) -> Edit {
    Edit::RemoveChannel { channel: channel.to_owned() }
}

#[tokio::test]
async fn what_stands_in_the_file_is_told_and_nothing_more() {
    let report = Bench::start(Some(FILE)).file.report(Words::default()).await;
    assert_eq!(Json::Object(report.values), json!({"theme": "dark"}));
    let [channel] = report.channels.as_slice() else { panic!("one channel") };
    assert_eq!(channel.id, "orders");
    assert_eq!(
        Json::Object(channel.values.clone()),
        json!({"name": "Orders", "url": "wss://shop.example/ws"})
    );
    assert_eq!(report.error, None);
}

#[test]
fn the_defaults_are_those_of_the_parser() {
    let Defaults { values, channel } = defaults();
    let file = std::path::Path::new("/config.toml");
    let parsed = |text: String| parse(text.as_bytes(), file).expect("good settings");
    assert_eq!(parsed(toml::to_string(&values).expect("TOML")), Settings::default());
    let url = "url = \"wss://shop.example/ws\"\n".to_owned();
    let channels = |text: String| {
        let channel: Values = toml::from_str(&text).expect("TOML");
        parsed(toml::to_string(&json!({"channel": [channel]})).expect("TOML")).channels
    };
    assert_eq!(channels(url.clone() + &toml::to_string(&channel).expect("TOML")), channels(url));
}

#[tokio::test]
async fn the_first_edit_makes_the_file() {
    let bench = Bench::start(None);
    let first = bench.file.report(Words::default()).await;
    let report = bench.edit(&first.revision, &[set(None, "theme", json!("light"))]).await.expect("done");
    assert_eq!(report.values["theme"], "light");
    assert!(
        bench.text().starts_with("# The settings of Tidings.")
            && bench.text().ends_with("\n\ntheme = \"light\"\n")
    );
}

#[tokio::test]
async fn what_the_hand_changed_meanwhile_stays() {
    let bench = Bench::start(Some(FILE));
    let old = bench.file.report(Words::default()).await.revision;
    bench.by_hand("\"dark\" # eyes", "\"light\" # changed my mind");
    bench.edit(&old, &[set(Some("orders"), "name", json!("Sales"))]).await.expect("done");
    let wanted =
        FILE.replace("\"dark\" # eyes", "\"light\" # changed my mind").replace("\"Orders\"", "\"Sales\"")
            + "id = \"orders\"\n";
    assert_eq!(bench.text(), wanted);
}

#[tokio::test]
async fn the_same_key_changed_by_both_is_refused_and_nothing_is_written() {
    let bench = Bench::start(Some(FILE));
    let old = bench.file.report(Words::default()).await.revision;
    bench.by_hand("shop.example", "new.example");
    let by_hand = bench.text();
    for (edits, key) in [
        (vec![set(None, "theme", json!("auto")), set(Some("orders"), "url", json!("wss://x/"))], Some("url")),
        (vec![remove("orders")], None),
    ] {
        let refusal = bench.edit(&old, &edits).await.expect_err("refused");
        assert_eq!((refusal.code, refusal.key.as_deref()), (ErrorCode::SettingsChanged, key));
        assert_eq!(bench.text(), by_hand);
    }
    // Both want the same.
    bench.edit(&old, &[set(Some("orders"), "url", json!("wss://new.example/ws"))]).await.expect("done");
    assert_eq!(bench.text(), by_hand);
    // A channel that is gone.
    bench.by_hand(&by_hand[by_hand.find("[[").expect("there")..], "");
    let refusal = bench.edit(&old, &[set(Some("orders"), "name", json!("x"))]).await.expect_err("refused");
    assert_eq!(refusal.code, ErrorCode::SettingsChanged);
    bench.edit(&old, &[remove("orders")]).await.expect("it is gone already");
    let refusal =
        bench.edit("never handed out", &[set(None, "theme", json!("auto"))]).await.expect_err("refused");
    assert_eq!(refusal.code, ErrorCode::SettingsChanged);
}

#[tokio::test]
async fn edits_that_make_no_settings_are_refused_at_their_key() {
    let bench = Bench::start(Some(FILE));
    let missing = bench.folder.path().join("none.pem").display().to_string();
    let revision = bench.file.report(Words::default()).await.revision;
    let orders = Some("orders");
    for (edit, key) in [
        (set(orders, "url", json!("shop")), "url"),
        (set(orders, "url", Json::Null), "url"),
        (set(orders, "url", json!("ws://shop.example/")), "url"),
        (set(orders, "heartbeat.interval", json!("80s")), "heartbeat.interval"),
        (set(orders, "mapping.title", json!("{{ a ")), "mapping.title"),
        (set(orders, "rule", json!([{"when": "a ="}])), "rule"),
        (set(orders, "auth", json!("basic")), "auth"),
        (set(orders, "headers", json!({"Cookie": "x"})), "headers"),
        (set(orders, "nme", json!("x")), "nme"),
        (set(orders, "ca_file", json!(missing)), "ca_file"),
        (set(orders, "client_cert", json!(missing)), "client_cert"),
        (set(None, "notifications.burst", json!(0)), "notifications.burst"),
        (set(None, "notifications.quiet_hours", json!([{"from": "1"}])), "notifications.quiet_hours"),
        (set(None, "language", json!("de")), "language"),
        (Edit::AddChannel { values: Values::new(), secret: None }, "url"),
    ] {
        let edits = [set(None, "theme", json!("light")), edit];
        let refusal = bench.edit(&revision, &edits).await.expect_err("refused");
        assert_eq!(
            (refusal.code, refusal.key.as_deref()),
            (ErrorCode::InvalidSettings, Some(key)),
            "{refusal}"
        );
        assert_eq!(bench.text(), FILE);
    }
    let refusal = bench.edit(&revision, &[set(Some("nobody"), "url", json!(""))]).await.expect_err("refused");
    assert_eq!(refusal.code, ErrorCode::UnknownChannel);
}

#[tokio::test]
async fn a_file_with_an_error_is_left_to_the_hand() {
    let text = "them = \"dark\"\n";
    let bench = Bench::start(Some(text));
    let report = bench.file.report(Words::default()).await;
    assert!(report.error.expect("an error").contains(":1:1: unknown key `them`"));
    let refusal =
        bench.edit(&report.revision, &[set(None, "theme", json!("dark"))]).await.expect_err("refused");
    assert_eq!(refusal.code, ErrorCode::SettingsFile);
    assert!(refusal.message.contains("did you mean `theme`?"), "{refusal}");
    assert_eq!(bench.text(), text);
}

#[tokio::test]
async fn without_a_keyring_a_secret_is_refused_and_no_channel_is_added() {
    let bench = Bench::start(Some(FILE));
    let report = bench.file.report(Words::default()).await;
    let Json::Object(values) = json!({"url": "wss://new.example/"}) else { unreachable!() };
    for (secret, code) in [("s3cret", ErrorCode::Keyring), ("two\nlines", ErrorCode::InvalidSettings)] {
        let add = Edit::AddChannel { values: values.clone(), secret: Some(Secret(secret.to_owned())) };
        let refusal = bench.edit(&report.revision, &[add]).await.expect_err("refused");
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(!refusal.message.contains("s3cret"));
    }
    assert_eq!(bench.text(), FILE);
}
