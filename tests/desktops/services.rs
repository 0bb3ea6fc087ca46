//! One notification service, and Tidings' popups on it.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tidings_tests::real::{Kind, Real};
use tidings_tests::real_popups::RealPopups;
use tidings_tests::scene::USER;

use crate::report::{Cell, Row, Sheet};

/// How long a service may take for its first popup: Plasma's starts with its shell.
const SLOW: Duration = Duration::from_secs(60);
/// More of the screen than this is more than a popup should take, in pixels.
const TALL: i32 = 400;

/// The tokens of a popup's text that would be wrong.
const LEFTOVERS: [&str; 5] = ["&#", "&amp;", "&lt;", "&apos;", "&quot;"];

pub(crate) async fn on(service: &'static Real, sheet: &mut Sheet) -> Row {
    let mut row = Row::of(service.name);
    row.version = service.version();
    match RealPopups::on(service).await {
        Ok(mut desk) => {
            row.note("connected", Ok(Cell::well()));
            greet(&desk).await;
            row.note_seen("message", message(&desk, sheet).await, &desk.stage, sheet).await;
            row.note_seen("tag replaced", tag(&desk, sheet).await, &desk.stage, sheet).await;
            row.note_seen("click", click(&desk, "Click me").await, &desk.stage, sheet).await;
            row.note_seen("button", button(&desk, sheet).await, &desk.stage, sheet).await;
            row.note_seen("long body", long(&desk, sheet).await, &desk.stage, sheet).await;
            row.note_seen("service restarted", restart(&mut desk).await, &desk.stage, sheet).await;
        }
        Err(error) => row.note("connected", Err(error)),
    }
    row.note("started by the bus", started_by_the_bus(service).await);
    row
}

/// swaync doesn't draw the first popup after its start (Tidings or not), and a shell has its own things to say then.
async fn greet(desk: &RealPopups) {
    desk.server.push_json(USER, &json!({ "title": "Hello" }));
    // Where it is not shown, the next check tells.
    let _ = desk.heard.shown("Hello", SLOW).await;
    let _ = desk.stage.settled().await;
}

async fn message(desk: &RealPopups, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let body = "Don't forget: it's Ann's <b>turn</b> & \"yours\"";
    let message = json!({ "title": "Order 17", "body": body, "url": "https://example.org/17" });
    let popup = desk.until_read("forget", desk.pops_up(&message).await?).await?;
    sheet.add(&format!("{} message", desk.stage.name()), &popup.screen).await?;
    let read = popup.text().await?;
    let wrong: Vec<_> = LEFTOVERS.iter().filter(|wrong| read.contains(*wrong)).collect();
    ensure!(wrong.is_empty(), "{wrong:?} in {read:?}");
    Ok(Cell::Well(read))
}

async fn tag(desk: &RealPopups, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let first = json!({ "title": "Build 1", "tag": "build", "body": "runs" });
    let second = json!({ "title": "Build 2", "tag": "build", "body": "is done" });
    // notify-osd shows one after the other, and never one that is replaced before its turn.
    desk.until_bare().await?;
    let (first, second) = desk.tagged(&first, &second).await?;
    let second = desk.until_read("done", second).await?;
    sheet.add(&format!("{} tag", desk.stage.name()), &second.screen).await?;
    ensure!(second.replaces == first, "the second asked to replace {}, not {first}", second.replaces);
    Ok(Cell::Well(second.text().await?))
}

async fn click(desk: &RealPopups, title: &str) -> anyhow::Result<Cell> {
    if desk.stage.presses().is_none() {
        return Ok(Cell::None("no clicks there"));
    }
    Ok(Cell::Well(desk.click(title).await?.join(", ")))
}

async fn button(desk: &RealPopups, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let actions = json!([{ "label": "Accept & close", "url": "https://example.org/accept" }]);
    let popup =
        desk.pops_up(&json!({ "title": "With a button", "body": "and words", "actions": actions })).await?;
    sheet.add(&format!("{} button", desk.stage.name()), &popup.screen).await?;
    let read = popup.text().await?;
    if read.contains("Accept") { Ok(Cell::Well(read)) } else { Ok(Cell::None("no label is to be seen")) }
}

async fn long(desk: &RealPopups, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let lines: Vec<String> = (1..140).map(|number| format!("line {number} of a log")).collect();
    let message = json!({ "title": "Long", "body": lines.join("\n"), "url": "https://example.org/" });
    let popup = desk.pops_up(&message).await?;
    sheet.add(&format!("{} long", desk.stage.name()), &popup.screen).await?;
    let (width, height) = (popup.area.width, popup.area.height);
    ensure!(height < TALL, "it is {height} pixels high");
    Ok(Cell::Well(format!("{width} x {height} pixels")))
}

async fn restart(desk: &mut RealPopups) -> anyhow::Result<Cell> {
    desk.stage.restart().await?;
    if desk.stage.presses().is_none() {
        desk.pops_up(&json!({ "title": "After the restart", "body": "it is here" })).await?;
        return Ok(Cell::Well("shown".to_owned()));
    }
    click(desk, "After the restart").await
}

/// The first popup is asked of a service that the call itself starts.
async fn started_by_the_bus(service: &'static Real) -> anyhow::Result<Cell> {
    if matches!(service.kind, Kind::Plasma | Kind::Gnome) {
        return Ok(Cell::None("the shell is there from login on"));
    }
    if service.press.is_none() {
        return Ok(Cell::None("no clicks there"));
    }
    if service.name == "swaync" {
        return Ok(Cell::None("it doesn't draw the first popup after its start"));
    }
    click(&RealPopups::started_by_the_bus(service).await?, "The first").await
}
