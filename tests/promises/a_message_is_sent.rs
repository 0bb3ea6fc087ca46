//! `tidings send`: by the running Tidings and without it, to each kind of server that takes messages. ntfy and Gotify are
//! doubles here.

use serde_json::{Value, json};
use tidings_server::{Options, Server};
use tidings_tests::app::App;
use tidings_tests::scene::{Place, USER};
use tidings_tests::web::{self, Page, Web};

fn refusing(status: u16, body: &str) -> Page {
    let headers = "Content-Type: application/json\r\n".to_owned();
    Page { path: "", status, headers, body: body.to_owned() }
}

fn ntfy(web: &Web, topics: &str) -> String {
    let token = "token_command = \"echo s3cret\"";
    format!(
        "[[channel]]\nname = \"Ntfy\"\nenabled = false\nkind = \"ntfy\"\nurl = \"{}\"\ntopics = {topics}\n{token}\n",
        web.at("")
    )
}

#[tokio::test]
async fn to_ntfy_it_goes_with_the_channels_own_sign_in_with_and_without_a_running_tidings()
-> anyhow::Result<()> {
    let server = Web::start(vec![web::json("/", "{\"id\":\"x\"}")], refusing(404, "")).await?;
    let app = App::with_settings(ntfy(&server, "[\"alerts\", \"backup\"]")).background().start().await?;
    let args =
        ["send", "Ntfy", "--title", "Disk", "--priority", "5", "--tag", "warning", "--topic", "backup", "-"];
    let output = app.run_with(&args, "is full\n").await?;
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:?}");
    let asked = server.asked();
    assert_eq!(asked[0].line, "POST /");
    let status: Value = serde_json::from_str(&app.run(&["status", "--json"]).await?.stdout)?;
    assert_eq!(status["channels"][0]["topics"], json!(["alerts", "backup"]));
    assert_eq!(status["channels"][0]["sends"], true);
    assert!(asked[0].headers.contains("authorization: bearer s3cret\r\n"), "{asked:?}");
    let sent: Value = serde_json::from_str(&asked[0].body)?;
    assert_eq!(
        sent,
        json!({"topic": "backup", "title": "Disk", "message": "is full", "priority": 5, "tags": ["warning"]})
    );

    assert_eq!(app.run(&["quit"]).await?.code, Some(0));
    let output = app.run(&["send", "ntfy", "--topic", "alerts", "again"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(server.asked().len(), 2);
    for wrong in [
        &["send", "ntfy", "which topic?"][..],
        &["send", "nobody", "hi"],
        &["send", "ntfy", "--priority", "6", "hi"],
    ] {
        assert_eq!(app.run(wrong).await?.code, Some(2), "{wrong:?}");
    }
    assert_eq!(server.asked().len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_ntfy_refuses_is_told_in_words() -> anyhow::Result<()> {
    for (status, code, words) in [
        (429, 42908, "allows a day are used up"),
        (429, 42909, "too many failed sign-ins"),
        (429, 42901, "wait a minute"),
        (403, 40301, "nobody may write"),
        (413, 41301, "too long"),
        (401, 40101, "doesn't know this user"),
    ] {
        let body = json!({"code": code, "http": status, "error": "s"}).to_string();
        let server = Web::start(Vec::new(), refusing(status, &body)).await?;
        let app = App::with_settings(ntfy(&server, "[\"alerts\"]")).background().start().await?;
        let output = app.run(&["send", "ntfy", "hi"]).await?;
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(words) && !output.stderr.contains("s3cret"), "{output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn to_gotify_it_goes_by_the_applications_token_alone() -> anyhow::Result<()> {
    let server = Web::start(vec![web::json("/gotify/message", "{\"id\":1}")], refusing(404, "")).await?;
    let channel = format!(
        "[[channel]]\nname = \"Push\"\nenabled = false\nkind = \"gotify\"\nurl = \"{}\"\n",
        server.at("/gotify")
    );
    let app = App::with_settings(channel.clone() + "token_command = \"echo cl1ent\"\n")
        .background()
        .start()
        .await?;
    let output = app.run(&["send", "push", "hi"]).await?;
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("send_token_command"), "{output:?}");
    assert_eq!(server.asked(), []);
    let status: Value = serde_json::from_str(&app.run(&["status", "--json"]).await?.stdout)?;
    assert_eq!(status["channels"][0]["sends"], false);
    let app =
        App::with_settings(channel + "send_token_command = \"echo 4pp\"\n").background().start().await?;
    let output = app.run(&["send", "push", "--title", "T", "--priority", "4", "hi"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let asked = server.asked();
    assert_eq!(asked[0].line, "POST /gotify/message");
    assert!(asked[0].headers.contains("x-gotify-key: 4pp\r\n"), "{asked:?}");
    assert_eq!(
        serde_json::from_str::<Value>(&asked[0].body)?,
        json!({"title": "T", "message": "hi", "priority": 8})
    );
    Ok(())
}

/// From its version 3 on.
#[tokio::test]
async fn to_gotify_it_also_goes_by_the_channels_own_token_where_the_application_is_named()
-> anyhow::Result<()> {
    let settings = |server: &Web| {
        let url = server.at("");
        format!(
            "[[channel]]\nname = \"Push\"\nenabled = false\nkind = \"gotify\"\nurl = \"{url}\"\ntoken_command = \"echo cl1ent\"\nsend_app = 3\n"
        )
    };
    let server = Web::start(vec![web::json("/message", "{\"id\":1}")], refusing(404, "")).await?;
    let app = App::with_settings(settings(&server)).background().start().await?;
    let output = app.run(&["send", "push", "hi"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let asked = server.asked();
    assert!(asked[0].headers.contains("authorization: bearer cl1ent\r\n"), "{asked:?}");
    assert_eq!(serde_json::from_str::<Value>(&asked[0].body)?, json!({"message": "hi", "appid": 3}));
    // What Gotify 3.0 says where there is no such application, and 2.9 to a client.
    for (status, said, words) in [
        (
            400,
            json!({"error": "Bad Request", "errorCode": 400, "errorDescription": "appid not found"}),
            "appid not found",
        ),
        (
            403,
            json!({"error": "Forbidden", "errorCode": 403, "errorDescription": "you are not allowed"}),
            "before 3.0",
        ),
    ] {
        let server = Web::start(Vec::new(), refusing(status, &said.to_string())).await?;
        let app = App::with_settings(settings(&server)).background().start().await?;
        let output = app.run(&["send", "push", "hi"]).await?;
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(words) && !output.stderr.contains("cl1ent"), "{output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn to_our_own_server_it_goes_by_its_push_token_and_comes_back_as_a_message() -> anyhow::Result<()> {
    let server =
        Place(Server::start(Options { push_token: Some("pu5h".to_owned()), ..Options::default() }).await?);
    let at = server.addr();
    let channel = format!(
        "[[channel]]\nname = \"Own\"\nurl = \"ws://{at}/ws/user-channel?user={USER}\"\nsend_url = \"http://{at}/push/{USER}\"\n"
    );
    let app = App::with_settings(channel.clone()).background().start().await?;
    let output = app.run(&["send", "own", "hi"]).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("send_token_command"), "{output:?}");
    // It would take the channel from the other one.
    assert_eq!(app.run(&["quit"]).await?.code, Some(0));
    let app =
        App::with_settings(channel + "send_token_command = \"echo pu5h\"\n").background().start().await?;
    app.wait_for_status("connected", |status| {
        status.channels.first().is_some_and(|channel| channel.state == tidings_api::StateName::Connected)
    })
    .await?;
    let output = app.run(&["send", "own", "--title", "Order 7", "is paid"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    app.wait_for_status("the message", |status| status.unread == 1).await?;
    Ok(())
}
