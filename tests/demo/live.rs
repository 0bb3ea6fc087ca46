//! The demo on a real desktop: the app with a channel of the embedded server, in folders of its own, until
//! the person quits it.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_server::{EventKind, Options, Server};

use crate::parts::{agent, say, settings};

const USER: &str = "demo";
/// Time to look at one popup before the next comes.
const PAUSE: Duration = Duration::from_secs(3);

pub(crate) async fn show() -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("tidings-demo-").tempdir()?;
    let server = Server::start(Options::default()).await?;
    let config = folder.path().join("config/tidings");
    std::fs::create_dir_all(&config)?;
    std::fs::write(config.join("config.toml"), settings(&server.url(USER)))?;

    // Nothing of the person's own Tidings is touched.
    let mut app = tokio::process::Command::new(agent()?)
        .env("XDG_CONFIG_HOME", folder.path().join("config"))
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .env("XDG_STATE_HOME", folder.path().join("state"))
        .kill_on_drop(true)
        .spawn()
        .context("the agent does not start")?;
    let opened = server.wait_for(Duration::from_secs(30), |event| event.kind == EventKind::Opened);
    opened.await.context("the agent did not connect")?;
    say("Tidings is in your tray, connected to the demo's server.");
    server.push(USER, "A plain text is a message, too.");
    tokio::time::sleep(PAUSE).await;
    server.push_json(
        USER,
        &json!({"title": "Order 41 is late", "body": "Click to open it.", "url": "https://example.org/", "priority": 4}),
    );
    say(&format!(
        "Push your own:  curl -d 'Hello' http://{}/push/{USER}\nQuit it from its tray menu, or with Ctrl-C here.",
        server.addr()
    ));
    let status = tokio::select! {
        status = app.wait() => status?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            // The terminal has told the app as well; it says goodbye to the server.
            app.wait().await?
        }
    };
    ensure!(status.success(), "the app ended with {status}");
    Ok(())
}
