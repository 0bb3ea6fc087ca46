//! The real agent at the real ntfy, from before updates and deletions, and the newest.

use std::time::Duration;

use anyhow::Context;
use tidings_api::{CarrierName, StateName};
use tidings_tests::app::Start;
use tidings_tests::nginx::Nginx;
use tidings_tests::peer::Peer;

use crate::desk::{Desk, alerts, secret};
use crate::servers::{self, NTFY, SECRET};

/// The first message. What comes at once after the open may have been missed, and would be summed up with it.
async fn first(desk: &Desk, ntfy: &Peer) -> anyhow::Result<()> {
    desk.connected().await?;
    ntfy.push("/alerts", "Title: first\r\n", "").await?;
    desk.popups.wait_for_title("first").await.map(drop)
}

/// How many messages come while the desk is empty.
const MISSED: usize = 20;

fn channel(ntfy: &Peer, topics: &str, more: &str) -> String {
    alerts(&format!("kind = \"ntfy\"\nurl = \"http://{}\"\ntopics = {topics}\n{more}", ntfy.addr()))
}

#[tokio::test]
async fn a_message_becomes_one_popup_with_its_title() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(ntfy) = servers::ntfy(name).await? else { continue };
        let desk = Desk::set(channel(&ntfy, r#"["alerts", "backup"]"#, "")).await?;
        first(&desk, &ntfy).await?;
        ntfy.push("/backup", "Title: Saved\r\nTags: tada\r\nPriority: 5\r\n", "all of it").await?;
        ntfy.push("/alerts", "Title: That is all\r\n", "").await?;
        desk.popups.wait_for_title("That is all").await?;
        let popups = desk.popups.wait_for(3).await?;
        assert_eq!((popups[1].summary.as_str(), popups[1].body.as_str()), ("🎉 Saved", "all of it"));
        assert_eq!(popups[1].urgency(), Some(2));
        assert_eq!(desk.settled(3).await?[1].title, "🎉 Saved");
    }
    Ok(())
}

#[tokio::test]
async fn its_events_are_a_stream_as_any_other() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(mut ntfy) = servers::ntfy(name).await? else { continue };
        let url = format!("http://{}/alerts/sse", ntfy.addr());
        let keys = format!("kind = \"sse\"\nurl = \"{url}\"\nignore_when = \"json.event != 'message'\"\n");
        let desk = Desk::set(alerts(&keys)).await?;
        first(&desk, &ntfy).await?;
        ntfy.kill().await?;
        desk.tray.wait_for("the loss", |item| !item.shows("Connected since ")).await?;
        ntfy.start_again().await?;
        desk.connected().await?;
        ntfy.push("/alerts", "Title: after the crash\r\n", "").await?;
        desk.popups.wait_for_title("after the crash").await?;
        assert_eq!(desk.settled(2).await?.len(), 2, "{name}: once each, and nothing of the stream's own");
    }
    Ok(())
}

#[tokio::test]
async fn behind_a_proxy_that_drops_upgrades_it_is_heard_all_the_same() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(ntfy) = servers::ntfy(name).await? else { continue };
        let proxy = Nginx::without_upgrades(ntfy.addr(), Duration::from_secs(60)).await?;
        let keys = format!("kind = \"ntfy\"\nurl = \"http://{}\"\ntopics = [\"alerts\"]\n", proxy.addr());
        let desk = Desk::set(alerts(&keys)).await?;
        first(&desk, &ntfy).await?;
        let channel = desk.state(StateName::Connected).await?;
        assert_eq!(channel.carrier, CarrierName::Sse, "{name}");
        for number in 0..5 {
            ntfy.push("/alerts", &format!("Title: {number}\r\n"), "").await?;
        }
        assert_eq!(desk.settled(6).await?.len(), 6, "{name}: once each");
    }
    Ok(())
}

#[tokio::test]
async fn an_update_replaces_its_popup_and_a_deletion_withdraws_it() -> anyhow::Result<()> {
    let Some(ntfy) = servers::ntfy("ntfy").await? else { return Ok(()) };
    let desk = Desk::set(channel(&ntfy, r#"["alerts"]"#, "")).await?;
    first(&desk, &ntfy).await?;
    ntfy.push("/alerts", "Title: Download\r\nX-Sequence-ID: file\r\n", "10 %").await?;
    let before = desk.popups.wait_for(2).await?.remove(1);
    ntfy.push("/alerts", "Title: Download\r\nX-Sequence-ID: file\r\n", "100 %").await?;
    let after = desk.popups.wait_for(3).await?.remove(2);
    assert_eq!((after.replaces, after.body.as_str()), (before.id, "100 %"));
    assert_eq!(desk.settled(2).await?[1].body, "100 %");
    ntfy.http("DELETE", "/alerts/file", "", "").await?;
    let withdrawn = |popups: &tidings_tests::notification_service::NotificationService| {
        popups.withdrawn().contains(&after.id)
    };
    desk.popups.wait_until("the popup withdrawn", withdrawn).await?;
    Ok(())
}

#[tokio::test]
async fn what_was_missed_comes_once_and_in_one_summary_and_nothing_of_what_was_deleted() -> anyhow::Result<()>
{
    for name in NTFY {
        let Some(mut ntfy) = servers::ntfy(name).await? else { continue };
        let mut desk = Desk::set(channel(&ntfy, r#"["alerts"]"#, "")).await?;
        first(&desk, &ntfy).await?;
        desk.settled(1).await?;
        desk.leave().await?;
        for number in 0..MISSED {
            ntfy.push("/alerts", &format!("Title: missed {number}\r\n"), "").await?;
        }
        if name == "ntfy" {
            ntfy.push("/alerts", "Title: false alarm\r\nX-Sequence-ID: alarm\r\n", "").await?;
            ntfy.http("DELETE", "/alerts/alarm", "", "").await?;
        }
        ntfy.stop().await?;
        ntfy.start_again().await?;
        desk.app.start(Start::Background).await?;
        desk.connected().await?;
        let stored = desk.app.wait_for_inbox("all, told", |stored| {
            stored.iter().filter(|message| message.title.starts_with("missed")).count() >= MISSED
                && stored.iter().all(|message| message.state != "pending")
        });
        let stored = stored.await?;
        ntfy.push("/alerts", "Title: after\r\n", "").await?;
        desk.popups.wait_for_title("after").await?;
        let mut missed: Vec<&str> = stored
            .iter()
            .map(|message| message.title.as_str())
            .filter(|title| title.starts_with("missed"))
            .collect();
        assert_eq!(missed.len(), MISSED, "once each: {missed:?}");
        missed.sort_unstable();
        missed.dedup();
        assert_eq!(missed.len(), MISSED);
        let titles = desk.popups.titles();
        let summary = format!("{MISSED} messages from Alerts");
        assert_eq!(titles, ["first", &summary, "after"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn it_comes_back_by_itself_after_a_stop_and_after_a_crash() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(mut ntfy) = servers::ntfy(name).await? else { continue };
        let desk = Desk::set(channel(&ntfy, r#"["alerts"]"#, "")).await?;
        desk.connected().await?;
        for crash in [false, true] {
            if crash {
                ntfy.kill().await?;
            } else {
                ntfy.stop().await?;
            }
            desk.tray.wait_for("the loss", |item| !item.shows("Connected since ")).await?;
            ntfy.start_again().await?;
            desk.connected().await?;
            let title = if crash { "after the crash" } else { "after the stop" };
            ntfy.push("/alerts", &format!("Title: {title}\r\n"), "").await?;
            desk.popups.wait_for_title(title).await?;
        }
        desk.popups.wait_for(2).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_or_a_missing_sign_in_needs_the_user() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(ntfy) = servers::ntfy(name).await? else { continue };
        for keys in
            [String::new(), secret("tk_wrong", ""), secret("wrong", "auth = \"basic\"\nusername = \"ann\"\n")]
        {
            let desk = Desk::set(channel(&ntfy, r#"["private"]"#, &keys)).await?;
            let channel = desk.state(StateName::NeedsUser).await?;
            assert!(channel.cause.is_some(), "{name}, {keys:?}: {channel:#?}");
        }
        let token = servers::ntfy_token(&ntfy).await?;
        for keys in [secret(&token, ""), secret(SECRET, "auth = \"basic\"\nusername = \"ann\"\n")] {
            let desk = Desk::set(channel(&ntfy, r#"["private", "alerts"]"#, &keys)).await?;
            desk.connected().await?;
        }
    }
    Ok(())
}

/// 2.11 says no more than that it is one.
#[tokio::test]
async fn a_limit_is_told_by_what_it_limits() -> anyhow::Result<()> {
    for (name, cause) in [
        ("ntfy-old", "too many requests (429)"),
        ("ntfy", "more subscriptions than the server allows from here (42903)"),
    ] {
        let Some(ntfy) = servers::ntfy_with(name, "visitor-subscription-limit: 1\n").await? else { continue };
        let one = Desk::set(channel(&ntfy, r#"["alerts"]"#, "")).await?;
        one.connected().await?;
        let other = Desk::set(channel(&ntfy, r#"["backup"]"#, "")).await?;
        let told = |status: &tidings_api::StatusReport| status.channels[0].cause.as_deref() == Some(cause);
        other.app.wait_for_status(cause, told).await.with_context(|| name.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_forbidden_topic_does_not_silence_the_others() -> anyhow::Result<()> {
    for name in NTFY {
        let Some(ntfy) = servers::ntfy(name).await? else { continue };
        let desk = Desk::set(channel(&ntfy, r#"["alerts", "closed", "backup"]"#, "")).await?;
        first(&desk, &ntfy).await?;
        for topic in ["alerts", "backup"] {
            ntfy.push(&format!("/{topic}"), &format!("Title: {topic}\r\n"), "").await?;
            desk.popups.wait_for_title(topic).await?;
        }
        let channel = desk.state(StateName::Connected).await?;
        assert_eq!(channel.left_out, ["closed"], "{name}");
    }
    Ok(())
}
