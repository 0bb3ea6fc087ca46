//! Whenever the agent is killed while the window changes the settings, the file is the old one or the new one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tidings_api::client::Client;
use tidings_api::{Edit, Reply, Request, SettingsReport};
use tidings_tests::app::{App, Start};
use tokio::sync::watch;
use tokio::time::sleep;

/// As people with a folder of such files have it: a link, to a file that only they may read.
struct Linked {
    app: App,
    file: PathBuf,
}

impl Linked {
    async fn start(settings: &str) -> anyhow::Result<Self> {
        let app = App::without_settings().background().start().await?;
        let file = app.home().join("dotfiles/tidings.toml");
        fs::create_dir(file.parent().context("no folder")?)?;
        fs::write(&file, settings)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        symlink("../../dotfiles/tidings.toml", app.settings_file())?;
        Ok(Self { app, file })
    }

    /// Nothing but the file, its owner's alone; the link still leads there.
    fn is_whole(&self) -> anyhow::Result<String> {
        ensure!(self.app.settings_file().is_symlink(), "the link is gone");
        ensure!(fs::metadata(&self.file)?.permissions().mode() & 0o777 == 0o600);
        Ok(fs::read_to_string(self.app.settings_file())?)
    }

    fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in [self.file.clone(), self.app.settings_file()] {
            for entry in fs::read_dir(folder.parent().context("no folder")?)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
        }
        names.retain(|name| !["tidings.toml", "config.toml"].contains(&name.as_str()));
        Ok(names)
    }
}

async fn settings(client: &mut Client) -> anyhow::Result<SettingsReport> {
    let Reply::Settings(report) = client.ask(&Request::Settings).await? else { anyhow::bail!("no settings") };
    Ok(report)
}

async fn keep_days(client: &mut Client, revision: String, days: u32) -> anyhow::Result<String> {
    let edits = vec![Edit::Set { channel: None, key: "inbox.keep_days".to_owned(), value: json!(days) }];
    let reply = client.ask(&Request::EditSettings { revision, edits }).await?;
    let Reply::Settings(report) = reply else { anyhow::bail!("no settings: {reply:?}") };
    Ok(report.revision)
}

fn with_days(days: u32) -> String {
    format!("# Mine.\n\n[inbox]\nkeep_days = {days} # days\n")
}

#[tokio::test]
async fn killed_at_any_moment_of_many_edits() -> anyhow::Result<()> {
    let mut linked = Linked::start(&with_days(1)).await?;
    let mut days = 1;
    for round in 0..8_u32 {
        let mut client = Client::connect(&linked.app.socket()).await?;
        let mut revision = settings(&mut client).await?.revision;
        let (count, mut counted) = watch::channel(days);
        let editing = tokio::spawn(async move {
            let mut answered = days;
            while let Ok(next) = keep_days(&mut client, revision, answered + 1).await {
                (revision, answered) = (next, answered + 1);
                count.send_replace(answered);
            }
        });
        counted.wait_for(|answered| *answered > days).await?;
        // At another moment of an edit each time: one takes a few milliseconds.
        sleep(Duration::from_micros((1_700 * round).into())).await;
        linked.app.kill().await?;
        editing.await?;
        let answered = *counted.borrow();
        let text = linked.is_whole()?;
        ensure!(
            [answered, answered + 1].map(with_days).contains(&text),
            "{answered} was answered, there is {text}"
        );
        days = if text == with_days(answered) { answered } else { answered + 1 };
        linked.app.start(Start::Background).await?;
    }
    let mut client = Client::connect(&linked.app.socket()).await?;
    let revision = settings(&mut client).await?.revision;
    keep_days(&mut client, revision, 365).await?;
    assert_eq!((linked.is_whole()?, linked.leftovers()?), (with_days(365), Vec::new()));
    Ok(())
}

#[tokio::test]
async fn killed_in_the_middle_of_writing_it() -> anyhow::Result<()> {
    const LONG: usize = 512 * 1024;
    let before = format!("# {}\n{}", "long ".repeat(LONG / 5 - 10), with_days(1));
    ensure!(before.len() < LONG);
    let mut linked = Linked::start(&before).await?;
    let mut client = Client::connect(&linked.app.socket()).await?;
    let revision = settings(&mut client).await?.revision;
    linked.app.limit_files(LONG as u64)?;
    let edits = vec![Edit::Set { channel: None, key: "language".to_owned(), value: json!("en") }];
    client.ask(&Request::EditSettings { revision, edits }).await.expect_err("killed meanwhile");
    let status = linked.app.wait_for_exit().await?;
    ensure!(status.code().is_none(), "it ended by itself: {status}");
    ensure!(linked.is_whole()? == before);
    assert_eq!(linked.leftovers()?.len(), 1, "what it was writing");

    linked.app.start(Start::Background).await?;
    let mut client = Client::connect(&linked.app.socket()).await?;
    let revision = settings(&mut client).await?.revision;
    keep_days(&mut client, revision, 2).await?;
    ensure!(linked.is_whole()? == before.replace("keep_days = 1", "keep_days = 2"));
    assert_eq!(linked.leftovers()?, [] as [&str; 0]);
    Ok(())
}
