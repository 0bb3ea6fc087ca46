//! A private channel of the Pusher protocol: the web app signs each link's subscription of it, and is asked by the channel's own sign-in.

use tidings_api::StateName;
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::notification_service::{ABLE, NotificationService};
use tidings_tests::pusher::{CHANNEL, Pusher};

fn settings(server: &Pusher, token: &str) -> String {
    let addr = server.addr();
    format!(
        "[[channel]]\nid = \"shop\"\nkind = \"dialogue\"\npreset = \"pusher\"\nurl = \"ws://{addr}\"\n\
         token_command = \"echo {token}\"\nbackoff = {{ first = \"100ms\", cap = \"500ms\" }}\n\
         [channel.dialogue.set]\nkey = \"app-key\"\nchannel = \"{CHANNEL}\"\n\
         auth_endpoint = \"http://{addr}/broadcasting/auth\"\n"
    )
}

async fn is(app: &App, state: StateName) -> anyhow::Result<()> {
    let so =
        |status: &tidings_api::StatusReport| status.channels.iter().all(|channel| channel.state == state);
    app.wait_for_status(state.as_str(), so).await.map(drop)
}

#[tokio::test]
async fn each_link_gets_a_signature_of_its_own() -> anyhow::Result<()> {
    let server = Pusher::start("t0ken").await?;
    let bus = PrivateBus::start()?;
    let popups = NotificationService::start(&bus, ABLE).await?;
    let app = App::with_settings(settings(&server, "t0ken")).bus(&bus).background().start().await?;
    is(&app, StateName::Connected).await?;
    server.publish("first");
    popups.wait_for_title("first").await?;
    server.turn_to("t0ken");
    is(&app, StateName::Waiting).await?;
    is(&app, StateName::Connected).await?;
    server.publish("second");
    popups.wait_for_title("second").await?;
    let form = |number: u32| format!("socket_id=17.{number}&channel_name={CHANNEL}");
    assert_eq!(server.asked(), [form(1), form(2)]);
    Ok(())
}

#[tokio::test]
async fn who_gets_no_signature_is_told_why() -> anyhow::Result<()> {
    for (broken, state, told) in [
        (None, StateName::NeedsUser, "403"),
        (Some(("500 Oops", "")), StateName::Waiting, "500"),
        (Some(("200 OK", "{}")), StateName::NeedsUser, "no signature"),
    ] {
        let server = Pusher::start("t0ken").await?;
        if let Some((status, body)) = broken {
            server.breaks(status, body);
        }
        let app = App::with_settings(settings(&server, "wrong")).background().start().await?;
        let so = |status: &tidings_api::StatusReport| {
            let channel = &status.channels[0];
            channel.state == state && channel.cause.as_ref().is_some_and(|cause| cause.contains(told))
        };
        let status = app.wait_for_status(told, so).await?;
        assert!(!format!("{status:?}").contains("wrong"), "no secret");
    }
    Ok(())
}
