use std::collections::HashSet;

use serde_json::json;
use tidings_server::EventKind;
use tidings_tests::app::App;
use tidings_tests::desktop::{PrivateBus, Signal};
use tidings_tests::notification_service::{ABLE, Manner, NAME, NotificationService};
use tidings_tests::scene::{Place, Scene, USER, channel};
use tidings_tests::tray_host::TrayHost;
use tidings_tests::wait::eventually;

fn push(scene: &Scene, titles: &[&str]) {
    for title in titles {
        scene.server.push_json(USER, &json!({ "title": title }));
    }
}

#[tokio::test]
async fn what_came_while_the_service_was_dead_is_summed_up_once_when_it_is_back() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.marker("before").await?;
    scene.popups.die().await?;
    push(&scene, &["one", "two", "three"]);
    let stored = scene.app.wait_for_inbox("three more messages", |stored| stored.len() == 4).await?;
    let titles: Vec<_> = stored.iter().map(|message| message.title.as_str()).collect();
    assert_eq!(titles, ["before", "one", "two", "three"]);
    // Until each was tried in vain; one that is tried later is told as itself.
    let tried = || scene.app.log().matches("a popup could not be shown").count() == 3;
    eventually("three vain calls", || tried().then_some(())).await?;

    scene.popups.come_back().await?;
    scene.popups.wait_for_title("3 messages from Orders").await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["before", "3 messages from Orders", "after"]);
    let states = ["shown", "summarised", "summarised", "summarised", "shown"];
    let settled = scene
        .app
        .wait_for_inbox("nothing pending", |stored| stored.iter().map(|message| message.state).eq(states));
    settled.await?;
    Ok(())
}

#[tokio::test]
async fn what_was_never_shown_is_summed_up_at_the_next_start() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.popups.die().await?;
    push(&scene, &["one", "two"]);
    scene.app.wait_for_inbox("two messages", |stored| stored.len() == 2).await?;
    scene.app.kill().await?;
    scene.popups.come_back().await?;
    scene.app.start(tidings_tests::app::Start::Background).await?;
    scene.popups.wait_for_title("2 messages from Orders").await?;
    scene.connected().await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["2 messages from Orders", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_service_that_hangs_disturbs_neither_link_nor_inbox_nor_the_end() -> anyhow::Result<()> {
    let mut scene = Scene::with("liveness = { ping_after = \"500ms\", deadline = \"5s\" }\n").await?;
    scene.popups.behave(Manner::Hang);
    push(&scene, &["one", "two"]);
    scene.popups.wait_until("a call that hangs", |service| service.unanswered().len() == 1).await?;
    scene.app.wait_for_inbox("both messages", |stored| stored.len() == 2).await?;
    let mark = scene.server.mark();
    scene.server.seen(mark, |kind| matches!(kind, EventKind::Ping(_))).await?;
    assert_eq!(scene.app.status().await?.channels[0].state.as_str(), "connected");

    scene.popups.behave(Manner::Show);
    scene.popups.wait_for(2).await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["one", "two", "after"], "each of them once");

    scene.popups.behave(Manner::Hang);
    push(&scene, &["three"]);
    scene.popups.wait_until("a call that hangs", |service| service.unanswered().len() == 2).await?;
    scene.app.signal(Signal::TERM)?;
    scene.app.ended_well().await?;
    assert_eq!(scene.app.inbox()?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn what_a_service_hung_over_and_died_with_is_told_by_the_next() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.popups.behave(Manner::Hang);
    push(&scene, &["one", "two"]);
    scene.popups.wait_until("a call that hangs", |service| service.unanswered().len() == 1).await?;
    scene.app.wait_for_inbox("both messages", |stored| stored.len() == 2).await?;
    scene.popups.die().await?;
    scene.popups.behave(Manner::Show);
    let tried = || scene.app.log().matches("a popup could not be shown").count() == 2;
    eventually("two vain calls", || tried().then_some(())).await?;
    scene.popups.come_back().await?;
    scene.popups.wait_for_title("2 messages from Orders").await?;
    scene.marker("after").await?;
    assert_eq!(scene.popups.titles(), ["2 messages from Orders", "after"]);
    Ok(())
}

#[tokio::test]
async fn of_many_messages_behind_a_service_that_hangs_each_is_shown_or_summed_up_once() -> anyhow::Result<()>
{
    const MANY: usize = 300;
    // As good as no flood control.
    let scene = Scene::with("[notifications]\nburst = 1000\nrefill = \"1ms\"\n").await?;
    scene.popups.behave(Manner::Hang);
    let titles: Vec<String> = (0..MANY).map(|number| format!("no {number}")).collect();
    push(&scene, &titles.iter().map(String::as_str).collect::<Vec<_>>());
    scene.app.wait_for_inbox("all of them", |stored| stored.len() == MANY).await?;

    scene.popups.behave(Manner::Show);
    let settled = scene
        .app
        .wait_for_inbox("nothing pending", |stored| stored.iter().all(|message| message.state != "pending"));
    let summarised = settled.await?.iter().filter(|message| message.state == "summarised").count();
    scene.marker("after").await?;
    let shown = scene.popups.titles();
    let (singles, others): (Vec<String>, Vec<String>) =
        shown.into_iter().partition(|title| titles.contains(title));
    let unique: HashSet<&String> = singles.iter().collect();
    assert_eq!((unique.len(), singles.len()), (singles.len(), MANY - summarised), "each of them once");
    assert_eq!(others, [format!("{summarised} messages from Orders"), "after".to_owned()]);
    Ok(())
}

#[tokio::test]
async fn a_message_that_the_service_refuses_is_kept_and_told_later() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    scene.popups.behave(Manner::Refuse);
    push(&scene, &["one"]);
    scene.popups.wait_until("a refused call", |service| service.unanswered().len() == 1).await?;
    assert_eq!(scene.app.inbox()?[0].state, "pending");

    scene.popups.die().await?;
    scene.popups.behave(Manner::Show);
    scene.popups.come_back().await?;
    let popup = scene.popups.wait_for(1).await?;
    assert_eq!(popup[0].summary, "one", "a single one is told as itself");
    scene.connected().await?;
    assert_eq!(scene.server.upgrades(), 1);
    Ok(())
}

#[tokio::test]
async fn what_a_living_service_refused_is_told_with_the_next_that_it_takes() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    scene.popups.behave(Manner::Refuse);
    push(&scene, &["one", "two"]);
    scene.popups.wait_until("two refused calls", |service| service.unanswered().len() == 2).await?;
    scene.popups.behave(Manner::Show);
    push(&scene, &["three"]);
    scene.popups.wait_for_title("2 messages from Orders").await?;
    scene.marker("four").await?;
    assert_eq!(scene.popups.titles(), ["three", "2 messages from Orders", "four"]);
    let states = ["summarised", "summarised", "shown", "shown"];
    let settled = scene
        .app
        .wait_for_inbox("nothing pending", |stored| stored.iter().map(|message| message.state).eq(states));
    settled.await?;
    Ok(())
}

#[tokio::test]
async fn a_service_is_asked_once_what_it_can_do_and_so_is_the_next() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let body = |title: &str| json!({ "title": title, "body": "1 < 2" });
    for title in ["one", "two"] {
        scene.server.push_json(USER, &body(title));
        assert_eq!(scene.popups.wait_for_title(title).await?.body, "1 &lt; 2");
    }
    assert_eq!(scene.popups.asked_for_abilities(), 1);
    scene.popups.die().await?;
    scene.popups.will_be_able(&["body"]);
    scene.popups.come_back().await?;
    for title in ["three", "four"] {
        scene.server.push_json(USER, &body(title));
        let popup = scene.popups.wait_for_title(title).await?;
        assert_eq!((popup.body.as_str(), popup.actions.len()), ("1 < 2", 0));
    }
    assert_eq!(scene.popups.asked_for_abilities(), 2);
    Ok(())
}

/// mate-notification-daemon quits half a minute after each popup, and others start with the first.
#[tokio::test]
async fn a_popup_for_which_the_bus_starts_the_service_is_clicked_and_replaced_like_any() -> anyhow::Result<()>
{
    const LINK: &str = "https://shop.example/17";
    let server = Place::start().await?;
    let bus = PrivateBus::start_with(&[NAME])?;
    let tray = TrayHost::start(&bus).await?;
    let mut popups = NotificationService::dead(&bus, ABLE);
    let app = App::with_settings(channel("Orders", &server.url(USER))).bus(&bus).start().await?;
    tray.wait_for_label("Connected since ").await?;
    for start in 1..=3 {
        let push = |title: &str| {
            server.push_json(USER, &json!({ "title": title, "tag": "order", "url": LINK }));
        };
        push("received");
        popups.come_back_when_called(&bus).await?;
        popups.wait_until("a popup", |popups| popups.open().len() == 1).await?;
        let first = popups.popups().pop().expect("a popup");
        assert_eq!((first.summary.as_str(), first.replaces), ("received", 0), "what was before is gone");
        push("sent");
        popups.wait_until("another", |popups| popups.popups().len() == 2 * start).await?;
        let second = popups.popups().pop().expect("a popup");
        assert_eq!((second.summary.as_str(), second.replaces), ("sent", first.id));
        popups.click(second.id, "default", None).await?;
        eventually("the browser", || (app.opened_links().len() == start).then_some(())).await?;
        popups.die().await?;
    }
    assert_eq!(app.inbox()?.len(), 6);
    Ok(())
}

#[tokio::test]
async fn ids_of_a_service_that_is_gone_mean_nothing_to_the_next() -> anyhow::Result<()> {
    let mut scene = Scene::start().await?;
    let push = |scene: &Scene, title: &str, tag: &str| {
        let url = format!("https://shop.example/{title}");
        scene.server.push_json(USER, &json!({ "title": title, "tag": tag, "url": url }));
    };
    push(&scene, "one", "a");
    let one = scene.popups.wait_for_title("one").await?;
    push(&scene, "other", "b");
    let other = scene.popups.wait_for_title("other").await?;
    scene.popups.die().await?;
    scene.popups.come_back().await?;
    // The next gives the same ids again, here to the same tag.
    push(&scene, "two", "a");
    let two = scene.popups.wait_for_title("two").await?;
    assert_eq!((two.id, two.replaces), (one.id, 0));
    // Of another program's popup.
    scene.popups.click(other.id, "default", None).await?;
    scene.popups.click(two.id, "default", None).await?;
    eventually("the browser", || scene.app.opened_links().first().cloned()).await?;
    scene.marker("after").await?;
    assert_eq!(scene.app.opened_links(), ["https://shop.example/two"]);
    Ok(())
}
