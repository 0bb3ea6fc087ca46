use std::fs;

use anyhow::ensure;
use tidings_server::Options;
use tidings_tests::desktop::{Desktop, Signal};
use tidings_tests::scene::channel;
use tidings_tests::told::PLANTED;
use tidings_tests::wait::eventually;
use tidings_tests::window::{Desk, USER};

#[tokio::test]
async fn it_is_told_once_and_copy_diagnostics_has_the_report_without_secrets() -> anyhow::Result<()> {
    let desktop = Desktop::start().await?;
    let crashes = desktop.home().join(".local/state/tidings/crashes");
    fs::create_dir_all(&crashes)?;
    let report = format!(
        "Tidings 0.1.0 on linux x86_64\nthread \"main\" panicked at nowhere.rs:1:1:\nno luck with \
         {{\"id\":1,\"token\":\"{PLANTED}\"}} at wss://me:{PLANTED}@a.example/?k={PLANTED}\n\n   0: nobody::calls\n"
    );
    fs::write(crashes.join("new-20260101T000000Z.txt"), report)?;
    let settings = |server: &tidings_server::Server| channel("Orders", &server.url(USER));
    let mut desk = Desk::start_in(desktop, Options::default(), settings, false).await?;
    desk.shows("Connected since ").await?;
    let page = desk.open_page().await?;
    let notice = "Part of Tidings stopped unexpectedly";
    page.shows(notice).await?;
    page.shows("crash-20260101T000000Z.txt").await?;
    page.go("#health").await?;
    page.click("Copy diagnostics").await?;
    page.shows("Copied").await?;
    let copied = page.clipboard().await?;
    let told = "no luck with {\"id\":1,\"token\":*** at wss://***@a.example/?k=***";
    for part in ["LAST CRASH", "panicked at nowhere.rs:1:1", told, "0: nobody::calls"] {
        ensure!(copied.contains(part), "{part}: {copied}");
    }
    ensure!(!copied.contains(PLANTED), "{copied}");

    desk.agent.signal(Signal::TERM)?;
    eventually("the agent's end", || desk.agent.ended().ok().flatten()).await?;
    desk.start_agent().await?;
    page.until("no word of it", |text| text.contains("Connected since") && !text.contains(notice)).await?;
    page.close().await
}
