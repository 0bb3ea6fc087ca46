//! Through the socket, as the window does it: the settings file is edited beside the user's own editor.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings_api::client::ClientError;
use tidings_api::{Edit, ErrorCode, Refusal, Reply, Request, Secret, SettingsReport, StateName, Values};
use tidings_server::{Options, Server};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::files;
use tidings_tests::keyring::Keyring;
use tidings_tests::scene::{Place, USER, channel};

const TOKEN: &str = "s3cret-of-the-window";

async fn settings(app: &App) -> anyhow::Result<SettingsReport> {
    let Reply::Settings(report) = app.ask(&Request::Settings).await? else { anyhow::bail!("no settings") };
    Ok(report)
}

async fn edit(app: &App, revision: &str, edits: Vec<Edit>) -> Result<SettingsReport, Refusal> {
    match app.ask(&Request::EditSettings { revision: revision.to_owned(), edits }).await {
        Ok(Reply::Settings(report)) => Ok(report),
        Err(ClientError::Refused(refusal)) => Err(refusal),
        other => panic!("neither settings nor a refusal: {other:?}"),
    }
}

fn set(channel: Option<&str>, key: &str, value: Value) -> Edit {
    Edit::Set { channel: channel.map(str::to_owned), key: key.to_owned(), value }
}

fn table(value: &Value) -> Values {
    value.as_object().expect("a table").clone()
}

fn text(app: &App) -> String {
    std::fs::read_to_string(app.settings_file()).expect("a settings file")
}

#[tokio::test]
async fn a_first_channel_with_a_token_connects_and_its_token_is_in_the_keyring_alone() -> anyhow::Result<()> {
    let tokens = BTreeMap::from([(TOKEN.to_owned(), USER.to_owned())]);
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let bus = PrivateBus::start()?;
    let keyring = Keyring::start(&bus).await?;
    let app = App::without_settings().bus(&bus).background().start().await?;
    let first = settings(&app).await?;
    assert!(first.keyring && first.channels.is_empty() && first.error.is_none(), "{first:?}");

    let values = table(&json!({"name": "Orders", "url": format!("ws://{}/ws/user-channel", server.addr())}));
    let add = Edit::AddChannel { values, secret: Some(Secret(TOKEN.to_owned())) };
    let report = edit(&app, &first.revision, vec![add]).await?;
    assert_eq!(report.channels[0].has_secret, Some(true));
    let connected = |status: &tidings_api::StatusReport| status.channels[0].state == StateName::Connected;
    app.wait_for_status("connected", connected).await?;

    let replies = format!("{report:?}{:?}", app.ask(&Request::Diagnostics).await?);
    assert!(!replies.contains(TOKEN) && !app.log().contains(TOKEN));
    assert_eq!(files::that_hold(&app.home(), TOKEN), Vec::<String>::new());
    assert_eq!(
        files::that_hold(keyring.folder(), TOKEN),
        Vec::<String>::new(),
        "the keyring encrypts what it keeps"
    );

    // Locked, it still tells that it has one, and is not prompted at.
    keyring.lock().await?;
    let locked = settings(&app).await?;
    assert_eq!((locked.keyring, locked.channels[0].has_secret), (true, Some(true)));
    let set = Request::SetSecret { channel: "orders".to_owned(), secret: Some(Secret("x".to_owned())) };
    let refused = app.ask(&set).await.expect_err("locked");
    assert!(matches!(refused, ClientError::Refused(Refusal { code: ErrorCode::Keyring, .. })), "{refused:?}");

    keyring.unlock().await?;
    let remove = Edit::RemoveChannel { channel: "orders".to_owned() };
    let gone = edit(&app, &locked.revision, vec![remove]).await?;
    assert!(gone.channels.is_empty() && app.status().await?.channels.is_empty());
    let again = table(&json!({"name": "Orders", "url": "wss://nowhere.invalid/"}));
    let report = edit(&app, &gone.revision, vec![Edit::AddChannel { values: again, secret: None }]).await?;
    assert_eq!(report.channels[0].has_secret, Some(false), "its secret went with it");
    Ok(())
}

/// Its tokens would be gone, and nobody signed out.
#[tokio::test]
async fn no_secret_takes_the_place_of_what_a_provider_gave_or_of_what_the_settings_name() -> anyhow::Result<()>
{
    for (more, gone) in [
        ("oauth = { issuer = \"https://id.invalid\", client_id = \"x\" }\n", false),
        ("token_file = \"token\"\n", true),
        ("auth = \"none\"\n", true),
    ] {
        let bus = PrivateBus::start()?;
        let settings = channel("Orders", "wss://nowhere.invalid/") + "enabled = false\n" + more;
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        let set = |secret: Option<&str>| {
            let secret = secret.map(|secret| Secret(secret.to_owned()));
            Request::SetSecret { channel: "orders".to_owned(), secret }
        };
        let refused = app.ask(&set(Some("x"))).await.expect_err(more);
        let ClientError::Refused(Refusal { code, message, .. }) = refused else {
            anyhow::bail!("{refused:?}")
        };
        assert_eq!(code, ErrorCode::InvalidSettings);
        assert!(message.contains(more.split(' ').next().unwrap_or_default()), "{message}");
        assert_eq!(app.ask(&set(None)).await.is_ok(), gone, "{more}");
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_is_set_and_removed_from_the_window() -> anyhow::Result<()> {
    let tokens = BTreeMap::from([(TOKEN.to_owned(), USER.to_owned())]);
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let bus = PrivateBus::start()?;
    let _keyring = Keyring::start(&bus).await?;
    let url = format!("ws://{}/ws/user-channel", server.addr());
    let app = App::with_settings(channel("Orders", &url)).bus(&bus).background().start().await?;
    let state = |wanted: StateName| {
        let app = &app;
        async move { app.wait_for_status(wanted.as_str(), |status| status.channels[0].state == wanted).await }
    };
    state(StateName::NeedsUser).await?;
    let secret = Some(Secret(TOKEN.to_owned()));
    app.ask(&Request::SetSecret { channel: "orders".to_owned(), secret }).await?;
    state(StateName::Connected).await?;
    app.ask(&Request::SetSecret { channel: "orders".to_owned(), secret: None }).await?;
    state(StateName::NeedsUser).await?;
    let unknown = app.ask(&Request::SetSecret { channel: "nobody".to_owned(), secret: None }).await;
    let Err(ClientError::Refused(refusal)) = unknown else { anyhow::bail!("not refused: {unknown:?}") };
    assert_eq!(refusal.code, ErrorCode::UnknownChannel);
    Ok(())
}

#[tokio::test]
async fn an_edit_is_in_force_when_it_is_answered_and_leaves_the_rest_of_the_file_alone() -> anyhow::Result<()>
{
    let server = Place::start().await?;
    let before = format!(
        "# Mine.\n\n{}# the end\n",
        channel("Orders", &server.url(USER)).replace("name = \"Orders\"", "name = \"Orders\"  # shop")
    );
    let app = App::with_settings(before.clone()).background().start().await?;
    app.wait_for_status("connected", |status| status.channels[0].state == StateName::Connected).await?;
    let revision = settings(&app).await?.revision;
    let edits = vec![set(Some("orders"), "name", json!("Sales")), set(None, "theme", json!("dark"))];
    edit(&app, &revision, edits).await?;
    let status = app.status().await?;
    assert_eq!((status.channels[0].id.as_str(), status.channels[0].name.as_str()), ("orders", "Sales"));
    assert_eq!(status.theme, "dark");
    assert_eq!(status.channels[0].links_opened, 1, "a name is no reason to dial");
    let after = text(&app);
    assert!(after.contains("name = \"Sales\"  # shop\n") && after.ends_with("# the end\n"), "{after}");
    assert!(after.starts_with("# Mine.\n\ntheme = \"dark\"\n\n[[channel]]\n"), "{after}");
    Ok(())
}

#[tokio::test]
async fn hand_and_window_at_once_lose_neither_change() -> anyhow::Result<()> {
    let app = App::with_settings("theme = \"light\" # mine\n\n[inbox]\nkeep_days = 30\n")
        .background()
        .start()
        .await?;
    let revision = settings(&app).await?.revision;
    // The hand saves, and the window right after it, from what it saw before.
    app.write_settings("theme = \"dark\" # mine\n\n[inbox]\nkeep_days = 30\n")?;
    edit(&app, &revision, vec![set(None, "inbox.keep_days", json!(60))]).await?;
    assert_eq!(text(&app), "theme = \"dark\" # mine\n\n[inbox]\nkeep_days = 60\n");
    assert_eq!(app.status().await?.theme, "dark");

    // Both change the same: the hand's stays, and the window is told.
    let refusal = edit(&app, &revision, vec![set(None, "theme", json!("auto"))]).await.expect_err("refused");
    assert_eq!((refusal.code, refusal.key.as_deref()), (ErrorCode::SettingsChanged, Some("theme")));
    assert_eq!(text(&app), "theme = \"dark\" # mine\n\n[inbox]\nkeep_days = 60\n");

    // The window, and then the hand: taken up as it is saved.
    app.write_settings("theme = \"light\"\n")?;
    app.wait_for_status("the hand's theme", |status| status.theme == "light").await?;
    Ok(())
}

#[tokio::test]
async fn what_can_t_be_is_refused_at_its_field_and_nothing_is_written() -> anyhow::Result<()> {
    let before = channel("Orders", "wss://shop.invalid/ws");
    let app = App::with_settings(before.clone()).background().start().await?;
    let revision = settings(&app).await?.revision;
    for (key, value) in [
        ("url", json!("shop")),
        ("heartbeat.interval", json!("80s")),
        ("ca_file", json!("/nonexistent.pem")),
        ("rule", json!([{"when": "priority >"}])),
    ] {
        let edits = vec![set(None, "theme", json!("dark")), set(Some("orders"), key, value)];
        let refusal = edit(&app, &revision, edits).await.expect_err("refused");
        assert_eq!((refusal.code, refusal.key.as_deref()), (ErrorCode::InvalidSettings, Some(key)));
        assert_eq!(text(&app), before);
    }
    app.write_settings("them = 1\n")?;
    app.wait_for_status("the error told", |status| !status.notices.is_empty()).await?;
    let report = settings(&app).await?;
    assert!(report.error.as_ref().is_some_and(|error| error.contains("did you mean `theme`?")), "{report:?}");
    let refusal =
        edit(&app, &report.revision, vec![set(None, "theme", json!("dark"))]).await.expect_err("refused");
    assert_eq!(refusal.code, ErrorCode::SettingsFile);
    Ok(())
}
