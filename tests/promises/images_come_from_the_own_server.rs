//! A picture that a message names is fetched if the channel says so, from the channel's own server and from nowhere else. Where
//! none is to be had, the message is as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustix::process::{Signal, kill_process};
use serde_json::json;
use tidings_api::client::Client;
use tidings_api::{Event, HistoryQuery, Pictures, Reply, Request, StoredMessage};
use tidings_tests::album::{Album, Page, large_picture, picture};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::gotify::Gotify;
use tidings_tests::notification_service::{ABLE, NotificationService, Popup};
use tidings_tests::wait::{SOON, eventually};
use tokio::time::timeout;
use url::Url;

const TOKEN: &str = "s3cret-token";
const OWN: &str = "images = \"own-server\"\n";

/// An agent with one channel, whose link is open.
struct Desk {
    app: App,
    popups: NotificationService,
    _bus: PrivateBus,
}

impl Desk {
    /// A channel of the recipe.
    async fn at(server: &Album, settings: &str) -> anyhow::Result<Self> {
        let url = server.at("/ws").replacen("http", "ws", 1);
        let channel = format!(
            "[[channel]]\nname = \"Shop\"\nurl = \"{url}\"\ntoken_command = \"echo {TOKEN}\"\n{settings}"
        );
        let desk = Self::with(&channel).await?;
        server.is_listened_to().await?;
        Ok(desk)
    }

    async fn with(settings: &str) -> anyhow::Result<Self> {
        let bus = PrivateBus::start()?;
        let popups = NotificationService::start(&bus, ABLE).await?;
        let app = App::with_settings(settings).bus(&bus).background().start().await?;
        Ok(Self { app, popups, _bus: bus })
    }

    async fn message(&self, title: &str) -> anyhow::Result<StoredMessage> {
        let query = HistoryQuery { limit: 50, ..HistoryQuery::default() };
        let Reply::History { messages } = self.app.ask(&Request::History(query)).await? else {
            anyhow::bail!("no history")
        };
        messages.into_iter().find(|message| message.message.title == title).context("no such message")
    }

    /// As the window has it.
    async fn image(&self, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let Reply::Picture { png } = self.app.ask(&Request::Picture { name: name.to_owned() }).await? else {
            anyhow::bail!("no answer")
        };
        Ok(png.map(|png| BASE64.decode(png)).transpose()?)
    }

    /// Looks on, as the window does.
    async fn onlooker(&self) -> anyhow::Result<Onlooker> {
        let mut client = Client::connect(&self.app.socket()).await?;
        client.ask(&Request::Subscribe { window: false }).await?;
        Ok(Onlooker { client, told: BTreeMap::new() })
    }

    fn folder(&self) -> PathBuf {
        self.app.home().join(".local/share/tidings/pictures")
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder()).into_iter().flatten().flatten().map(|file| file.path());
        files.filter(|file| file.extension().is_some_and(|end| end == "png")).collect()
    }
}

/// Who looks on and what it was told, and never looks again.
struct Onlooker {
    client: Client,
    /// By row.
    told: BTreeMap<i64, Told>,
}

/// A message, as it stands in an open window.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    title: String,
    app: Option<String>,
    pictures: Pictures,
}

impl Onlooker {
    /// Until what stands in the window is so.
    async fn sees(&mut self, what: &str, so: impl Fn(&[Told]) -> bool) -> anyhow::Result<()> {
        let seen = async {
            loop {
                let told: Vec<Told> = self.told.values().cloned().collect();
                if so(&told) {
                    return anyhow::Ok(());
                }
                match self.client.event().await? {
                    Event::Message(StoredMessage { row, message, pictures, .. }) => {
                        self.told.insert(row, Told { title: message.title, app: message.app, pictures });
                    }
                    Event::Pictures { message, app, pictures } => {
                        if let Some(told) = self.told.get_mut(&message) {
                            (told.app, told.pictures) = (app, pictures);
                        }
                    }
                    Event::Gone { messages } => self.told.retain(|row, _| !messages.contains(row)),
                    Event::Snapshot(_) | Event::State(_) | Event::Read { .. } | Event::Raise { .. } => {}
                }
            }
        };
        let seen = timeout(SOON, seen).await;
        seen.with_context(|| format!("{what}: not within {SOON:?}: {:#?}", self.told))?
    }
}

/// The file that a popup names.
fn shown(popup: &Popup) -> Option<PathBuf> {
    Url::parse(popup.text_hint("image-path")?).ok()?.to_file_path().ok()
}

fn named(title: &str, image: &str) -> String {
    json!({ "title": title, "body": "look", "image": image }).to_string()
}

/// A PNG of this size, by its head.
fn size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    png.starts_with(b"\x89PNG").then_some((number(16)?, number(20)?))
}

#[tokio::test]
async fn a_picture_of_the_own_server_is_in_the_popup_and_in_the_inbox_and_goes_with_its_message()
-> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/door.png", Page::For("authorization: bearer s3cret-token", picture()));
    let desk = Desk::at(&server, OWN).await?;
    server.send(&named("The door", &server.at("/door.png#now")));
    let popup = desk.popups.wait_for_title("The door").await?;
    let file = shown(&popup).context("the popup has no picture")?;
    ensure!(size(&fs::read(&file)?) == Some((24, 16)));
    let mode = |path: &std::path::Path| anyhow::Ok(fs::metadata(path)?.permissions().mode() & 0o777);
    ensure!(mode(&file)? == 0o600 && mode(&desk.folder())? == 0o700);

    let message = desk.message("The door").await?;
    let name = message.pictures.picture.context("the inbox has no picture")?;
    ensure!(desk.image(&name).await?.as_deref().and_then(size) == Some((24, 16)));
    for odd in ["../inbox", "../../../../etc/passwd", "", "x"] {
        ensure!(desk.image(odd).await?.is_none(), "{odd}");
    }

    // The same address again: another message, another picture.
    server.put("/door.png", Page::Bytes(picture()));
    server.send(&named("Again", "/door.png"));
    ensure!(shown(&*desk.popups.wait_for_title("Again").await?).is_some_and(|again| again != file));
    desk.app.ask(&Request::Delete { messages: vec![message.row] }).await?;
    eventually("the picture is gone", || (!file.exists()).then_some(())).await?;
    ensure!(desk.files().len() == 1 && desk.image(&name).await?.is_none());
    desk.popups.wait_for(2).await?;
    ensure!(desk.popups.popups().len() == 2, "each popup comes once: {:?}", desk.popups.titles());
    Ok(())
}

#[tokio::test]
async fn what_the_retention_deletes_takes_its_picture_along() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/a.png", Page::Bytes(picture()));
    let desk = Desk::at(&server, &format!("{OWN}[inbox]\nkeep_messages = 1\n")).await?;
    server.send(&named("first", "/a.png"));
    let first = shown(&*desk.popups.wait_for_title("first").await?).context("no picture")?;
    server.send(&named("second", "/a.png"));
    let second = shown(&*desk.popups.wait_for_title("second").await?).context("no picture")?;
    eventually("the first is gone", || (!first.exists()).then_some(())).await?;
    ensure!(second.exists());
    Ok(())
}

#[tokio::test]
async fn what_was_deleted_while_nobody_looked_is_swept_at_the_next_start() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/a.png", Page::Bytes(picture()));
    let mut desk = Desk::at(&server, OWN).await?;
    server.send(&named("kept", "/a.png"));
    let kept = shown(&*desk.popups.wait_for_title("kept").await?).context("no picture")?;
    desk.app.kill().await?;
    let left = kept.with_file_name("987654321-0123456789abcdef.png");
    fs::copy(&kept, &left)?;
    desk.app.start(tidings_tests::app::Start::Background).await?;
    eventually("what nobody shows is gone", || (!left.exists()).then_some(())).await?;
    ensure!(kept.exists());
    ensure!(desk.message("kept").await?.pictures.picture.is_some());
    Ok(())
}

#[tokio::test]
async fn unless_the_channel_says_so_nothing_is_asked_for() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/a.png", Page::Bytes(picture()));
    let desk = Desk::at(&server, "").await?;
    server.send(&named("The door", &server.at("/a.png")));
    let popup = desk.popups.wait_for_title("The door").await?;
    ensure!(shown(&popup).is_none());
    // Said now, without a new link; what comes from here on has its picture.
    let settings = fs::read_to_string(desk.app.settings_file())?;
    desk.app.write_settings(format!("{settings}{OWN}"))?;
    eventually("taken up", || desk.app.log().matches("settings taken up").nth(1).map(drop)).await?;
    server.send(&named("The window", "/a.png"));
    ensure!(shown(&*desk.popups.wait_for_title("The window").await?).is_some());
    server.was_asked_only(&["/a.png"])?;
    ensure!(desk.message("The door").await?.pictures.picture.is_none());
    Ok(())
}

#[tokio::test]
async fn nothing_is_fetched_from_elsewhere_and_no_secret_goes_there() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    let foreign = Album::start(None).await?;
    for album in [&server, &foreign] {
        album.put("/a.png", Page::Bytes(picture()));
    }
    server.put("/away.png", Page::Elsewhere(foreign.at("/a.png")));
    let desk = Desk::at(&server, &format!("{OWN}[notifications]\nburst = 20\n")).await?;
    let port = server.port();
    for (number, address) in [
        foreign.at("/a.png"),
        format!("//127.0.0.1:{}/a.png", foreign.port()),
        format!("http://127.0.0.1:{port}@127.0.0.1:{}/a.png", foreign.port()),
        format!("http://user:pw@127.0.0.1:{port}/a.png"),
        format!("https://127.0.0.1:{port}/a.png"),
        format!("http://localhost:{port}/a.png"),
        "file:///etc/hostname".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let title = format!("elsewhere {number}");
        server.send(&named(&title, address));
        let popup = desk.popups.wait_for_title(&title).await?;
        ensure!(shown(&popup).is_none() && popup.body == "look", "{address}");
    }
    ensure!(server.asked().is_empty(), "{:?}", server.asked());
    server.send(&named("moved", "/away.png"));
    ensure!(shown(&*desk.popups.wait_for_title("moved").await?).is_none());
    server.was_asked_only(&["/away.png"])?;
    ensure!(foreign.asked().is_empty(), "{:?}", foreign.asked());
    ensure!(desk.files().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_picture_that_is_none_costs_nothing_but_itself() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    let mut broken = picture();
    broken.truncate(200);
    let mut bomb = picture();
    // 32767 by 32767 pixels.
    bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
    let mut huge = picture();
    huge.resize(9 << 20, 0);
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1:1/'/></svg>";
    let pages = [
        ("broken", Page::Bytes(broken)),
        ("bomb", Page::Bytes(bomb)),
        ("page", Page::Bytes(b"<!doctype html><title>Sign in</title>".to_vec())),
        ("svg", Page::Bytes(svg.into())),
        ("nothing", Page::Bytes(Vec::new())),
        ("huge", Page::Bytes(huge)),
        ("endless", Page::Endless),
        ("refused", Page::For("x-never: sent", picture())),
    ];
    let desk = Desk::at(&server, &format!("{OWN}[notifications]\nburst = 20\n")).await?;
    for (title, page) in pages.clone() {
        let path = format!("/{title}.png");
        server.put(&path, page);
        server.send(&named(title, &path));
        let popup = desk.popups.wait_for_title(title).await?;
        ensure!(shown(&popup).is_none() && popup.body == "look", "{title}");
        server.is_asked(&path).await?;
        let message = desk.message(title).await?;
        ensure!(message.pictures.picture.is_none() && message.message.body == "look");
    }
    ensure!(desk.files().is_empty());
    // And the next is as good as ever.
    server.put("/good.png", Page::Bytes(picture()));
    server.send(&named("good", "/good.png"));
    ensure!(shown(&*desk.popups.wait_for_title("good").await?).is_some());
    ensure!(desk.popups.popups().len() == pages.len() + 1);
    Ok(())
}

#[tokio::test]
async fn whatever_ends_the_process_that_reads_a_picture_costs_that_picture_alone() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/large.png", Page::Bytes(large_picture()));
    server.put("/good.png", Page::Bytes(picture()));
    let mut desk = Desk::at(&server, OWN).await?;
    for (title, signal) in [("killed", Signal::KILL), ("aborted", Signal::ABORT)] {
        server.send(&named(title, "/large.png"));
        let reads = eventually("it is read", || desk.app.child("read-picture").transpose()).await??;
        kill_process(reads, signal)?;
        let popup = desk.popups.wait_for_title(title).await?;
        ensure!(shown(&popup).is_none() && popup.body == "look");
        let told = format!("it can't be read (signal: {} ", signal.as_raw());
        eventually("how it ended", || desk.app.log().contains(&told).then_some(())).await?;
        let message = desk.message(title).await?;
        ensure!(message.pictures.picture.is_none() && message.message.body == "look");
    }
    server.send(&named("good", "/good.png"));
    ensure!(shown(&*desk.popups.wait_for_title("good").await?).is_some());
    ensure!(desk.files().len() == 1 && desk.app.child("read-picture")?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_popup_does_not_wait_for_long_and_none_overtakes_another() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/silent.png", Page::Silent);
    let desk = Desk::at(&server, OWN).await?;
    server.send(&named("slow", "/silent.png"));
    server.send(r#"{"title": "quick", "body": "look"}"#);
    server.is_asked("/silent.png").await?;
    let popups = desk.popups.wait_for(2).await?;
    ensure!(server.keeps_waiting("/silent.png"), "they waited until the fetching was given up");
    let titles: Vec<&str> = popups.iter().map(|popup| popup.summary.as_str()).collect();
    ensure!(titles == ["slow", "quick"], "{titles:?}");
    ensure!(popups.iter().all(|popup| shown(popup).is_none() && popup.replaces == 0));
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_taken_back_while_its_popup_waits_does_not_pop_up() -> anyhow::Result<()> {
    let server = Album::start(Some(r#"{"id": "o", "event": "open", "topic": "alerts"}"#)).await?;
    server.put("/file/silent.png", Page::Silent);
    let desk = Desk::with(&format!(
        "[[channel]]\nkind = \"ntfy\"\nurl = \"{}\"\ntopics = [\"alerts\"]\nauth = \"none\"\n{OWN}",
        server.at("")
    ))
    .await?;
    server.is_listened_to().await?;
    let attachment = json!({ "name": "a.png", "type": "image/png", "url": server.at("/file/silent.png") });
    let mut event = json!({ "id": "one", "sequence_id": "one", "time": 1_790_000_000, "event": "message",
        "topic": "alerts", "title": "taken back", "message": "look", "attachment": attachment });
    server.send(&event.to_string());
    server.is_asked("/file/silent.png").await?;
    server.send(r#"{"id": "two", "sequence_id": "one", "time": 1790000001, "event": "message_delete", "topic": "alerts"}"#);
    event["attachment"] = json!(null);
    (event["id"], event["sequence_id"]) = (json!("three"), json!("three"));
    event["title"] = json!("the next");
    server.send(&event.to_string());
    desk.popups.wait_for_title("the next").await?;
    ensure!(desk.popups.titles() == ["the next"], "{:?}", desk.popups.titles());
    Ok(())
}

#[tokio::test]
async fn an_attachment_of_ntfy_is_signed_in_for_and_no_other_place_there() -> anyhow::Result<()> {
    let server = Album::start(Some(r#"{"id": "o", "event": "open", "topic": "alerts"}"#)).await?;
    server.put("/file/door.png", Page::For("authorization: bearer s3cret-token", picture()));
    server.put("/icon.png", Page::Bytes(picture()));
    server.put("/other/publish", Page::Bytes(picture()));
    let desk = Desk::with(&format!(
        "[[channel]]\nkind = \"ntfy\"\nurl = \"{}\"\ntopics = [\"alerts\"]\ntoken_command = \"echo {TOKEN}\"\n{OWN}",
        server.at("")
    ))
    .await?;
    server.is_listened_to().await?;
    let event = |id: &str, url: &str| {
        let attachment =
            json!({ "name": "door.png", "type": "image/png", "size": 1000, "url": server.at(url) });
        json!({ "id": id, "sequence_id": id, "time": 1_790_000_000, "event": "message", "topic": "alerts",
            "title": id, "message": "look", "icon": server.at("/icon.png"), "attachment": attachment })
        .to_string()
    };
    let mut window = desk.onlooker().await?;
    server.send(&event("signed", "/file/door.png"));
    ensure!(shown(&*desk.popups.wait_for_title("signed").await?).is_some());
    let both = |told: &Told| told.pictures.picture.is_some() && told.pictures.icon.is_some();
    window.sees("picture and icon", |told| told.iter().any(both)).await?;
    server.send(&event("unsigned", "/other/publish?message=x"));
    desk.popups.wait_for_title("unsigned").await?;
    let signed = |asked: &tidings_tests::album::Asked| asked.head.contains(TOKEN);
    let signed: Vec<String> = server.asked().into_iter().filter(signed).map(|asked| asked.path).collect();
    ensure!(signed.iter().all(|path| path.starts_with("/file/") || path.contains("/auth")), "{signed:?}");
    let icons = server.asked().into_iter().filter(|asked| asked.path == "/icon.png").count();
    ensure!(icons == 1, "an icon is shared: {icons}");
    Ok(())
}

#[tokio::test]
async fn how_much_a_popup_tells_counts_for_pictures_too() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/slow.png", Page::Silent);
    let desk = Desk::at(&server, &format!("{OWN}show = \"title\"\n")).await?;
    let mut window = desk.onlooker().await?;
    server.send(&named("private", "/slow.png"));
    ensure!(shown(&*desk.popups.wait_for_title("private").await?).is_none());
    server.put("/slow.png", Page::Bytes(picture()));
    let has_it = |told: &[Told]| told.iter().any(|told| told.pictures.picture.is_some());
    window.sees("the inbox has it", has_it).await?;
    Ok(())
}

#[tokio::test]
async fn an_application_of_gotify_has_its_name_and_icon_which_are_asked_for_once() -> anyhow::Result<()> {
    let server = Gotify::start(TOKEN).await?;
    let settings = |more: &str| {
        format!(
            "[[channel]]\nkind = \"gotify\"\nurl = \"{}\"\ntoken_command = \"echo {TOKEN}\"\n{more}",
            server.url()
        )
    };
    let mut desk = Desk::with(&settings("")).await?;
    eventually("a link", || (server.links() > 0).then_some(())).await?;
    server.publish("first", 5);
    ensure!(shown(&*desk.popups.wait_for_title("first").await?).is_some(), "the application's icon");
    let message = desk.message("first").await?;
    ensure!(message.message.app.as_deref() == Some("Backups"), "{message:?}");
    let icon = message.pictures.icon.context("no icon")?;
    ensure!(desk.image(&icon).await?.as_deref().and_then(size) == Some((24, 16)));
    server.publish("second", 5);
    desk.popups.wait_for_title("second").await?;
    // Of none that it has.
    server.publish_as(99, "unknown", 5);
    server.publish_as(99, "unknown again", 5);
    desk.popups.wait_for_title("unknown again").await?;
    ensure!(desk.message("unknown").await?.message.app.is_none());
    ensure!(server.asked() == ["/push/application", "/push/image/backups.png"], "{:?}", server.asked());

    // What is known outlives the agent; opted out, nothing is asked at all.
    desk.app.signal(Signal::TERM)?;
    desk.app.ended_well().await?;
    desk.app.write_settings(settings("app_icons = false\n"))?;
    desk.app.start(tidings_tests::app::Start::Background).await?;
    eventually("a link", || (server.links() > 1).then_some(())).await?;
    server.publish_as(2, "third", 5);
    desk.popups.wait_for_title("third").await?;
    ensure!(server.asked().len() == 2, "{:?}", server.asked());
    ensure!(desk.message("first").await?.message.app.as_deref() == Some("Backups"));
    Ok(())
}

#[tokio::test]
async fn each_of_a_burst_gets_its_name_and_its_icon_in_an_open_window_and_they_are_asked_for_once()
-> anyhow::Result<()> {
    const MANY: usize = 150;
    let server = Gotify::start(TOKEN).await?;
    server.answer_lists(false);
    let desk = Desk::with(&format!(
        "[[channel]]\nkind = \"gotify\"\nurl = \"{}\"\ntoken_command = \"echo {TOKEN}\"\n",
        server.url()
    ))
    .await?;
    eventually("a link", || (server.links() > 0).then_some(())).await?;
    let mut window = desk.onlooker().await?;
    for number in 0..MANY {
        server.publish(&number.to_string(), 5);
    }
    window.sees("all of them", |told| told.len() == MANY).await?;
    server.answer_lists(true);
    let named = |told: &Told| told.app.as_deref() == Some("Backups") && told.pictures.icon.is_some();
    window.sees("names and icons", |told| told.iter().all(named)).await?;
    // And one that comes when all is known.
    server.publish("late", 5);
    window.sees("the last", |told| told.len() > MANY && told.iter().all(named)).await?;
    ensure!(server.asked() == ["/push/application", "/push/image/backups.png"], "{:?}", server.asked());
    Ok(())
}

#[tokio::test]
async fn an_icon_that_several_messages_share_outlives_each_of_them_and_is_asked_for_once()
-> anyhow::Result<()> {
    let server = Album::start(Some(r#"{"id": "o", "event": "open", "topic": "alerts"}"#)).await?;
    server.put("/icon.png", Page::Silent);
    let desk = Desk::with(&format!(
        "[[channel]]\nkind = \"ntfy\"\nurl = \"{}\"\ntopics = [\"alerts\"]\nauth = \"none\"\n{OWN}",
        server.at("")
    ))
    .await?;
    server.is_listened_to().await?;
    let mut window = desk.onlooker().await?;
    for id in ["one", "two", "three", "four", "five", "six"] {
        let event = json!({ "id": id, "sequence_id": id, "time": 1_790_000_000, "event": "message",
            "topic": "alerts", "title": id, "message": "look", "icon": server.at("/icon.png") });
        server.send(&event.to_string());
    }
    window.sees("all of them", |told| told.len() == 6).await?;
    server.is_asked("/icon.png").await?;
    // The one that it is fetched for.
    let first = *window.told.keys().next().context("none")?;
    desk.app.ask(&Request::Delete { messages: vec![first] }).await?;
    window.sees("one is gone", |told| told.len() == 5).await?;
    server.put("/icon.png", Page::Bytes(picture()));
    window.sees("icons", |told| told.iter().all(|told| told.pictures.icon.is_some())).await?;
    server.was_asked_only(&["/icon.png"])?;
    Ok(())
}

#[tokio::test]
async fn what_a_removed_channel_left_goes_with_it_whether_somebody_looks_or_not() -> anyhow::Result<()> {
    let server = Gotify::start(TOKEN).await?;
    let channel = |id: &str| {
        let url = server.url();
        format!(
            "[[channel]]\nid = \"{id}\"\nkind = \"gotify\"\nurl = \"{url}\"\ntoken_command = \"echo {TOKEN}\"\n"
        )
    };
    let mut desk = Desk::with(&format!("{}{}", channel("one"), channel("two"))).await?;
    eventually("two links", || (server.links() > 1).then_some(())).await?;
    let mut window = desk.onlooker().await?;
    server.publish("first", 5);
    let named = |told: &Told| told.app.is_some() && told.pictures.icon.is_some();
    window.sees("both are named", |told| told.len() == 2 && told.iter().all(named)).await?;
    ensure!(desk.files().len() == 2, "each has its own: {:?}", desk.files());

    desk.app.write_settings(channel("two"))?;
    eventually("the first one's icon is gone", || (desk.files().len() == 1).then_some(())).await?;
    let apps = desk.folder().join("apps.json");
    let known = || fs::read_to_string(&apps).unwrap_or_default();
    eventually("its names are gone", || (!known().contains("one") && known().contains("two")).then_some(()))
        .await?;

    // Neither a mistake in the settings nor a file that can't be read is a removal.
    desk.app.kill().await?;
    desk.app.write_settings("[[channel]]\nurl = 7\n")?;
    desk.app.start(tidings_tests::app::Start::Background).await?;
    desk.app.wait_for_status("told", |status| !status.notices.is_empty()).await?;
    ensure!(desk.files().len() == 1 && known().contains("two"));
    desk.app.kill().await?;
    desk.app.write_settings("")?;
    desk.app.start(tidings_tests::app::Start::Background).await?;
    eventually("the second one's, too", || desk.files().is_empty().then_some(())).await?;
    eventually("its names, too", || (!known().contains("two")).then_some(())).await?;
    Ok(())
}

#[tokio::test]
async fn a_picture_whose_message_is_deleted_meanwhile_is_not_kept() -> anyhow::Result<()> {
    let server = Album::start(None).await?;
    server.put("/slow.png", Page::Silent);
    server.put("/quick.png", Page::Bytes(picture()));
    let desk = Desk::at(&server, OWN).await?;
    let mut window = desk.onlooker().await?;
    server.send(&named("slow", "/slow.png"));
    server.is_asked("/slow.png").await?;
    desk.app.ask(&Request::Delete { messages: vec![desk.message("slow").await?.row] }).await?;
    window.sees("it is gone", <[_]>::is_empty).await?;
    server.put("/slow.png", Page::Bytes(picture()));
    eventually("it is fetched", || (!server.keeps_waiting("/slow.png")).then_some(())).await?;
    // They are read one after the other.
    server.send(&named("quick", "/quick.png"));
    let has_it = |told: &Told| told.title == "quick" && told.pictures.picture.is_some();
    window.sees("the next one", |told| told.iter().any(has_it)).await?;
    ensure!(desk.files().len() == 1, "{:?}", desk.files());
    Ok(())
}
