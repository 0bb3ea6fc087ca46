use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tidings_api::client::Client;
use tidings_api::{HistoryQuery, Reply, Request};
use tidings_tests::scene::{Scene, USER};
use tidings_tests::tray_host::Seen;
use tidings_tests::wait::SOON;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

/// Between two tries.
const MOMENT: Duration = Duration::from_millis(200);

struct Tail {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Tail {
    fn start(scene: &Scene, args: &[&str]) -> anyhow::Result<Self> {
        let mut command = scene.app.command();
        command.args(["tail", "--json"]).args(args).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        Ok(Self { lines, _child: child })
    }

    async fn title(&mut self) -> anyhow::Result<String> {
        let line = timeout(SOON, self.lines.next_line()).await.context("tail prints nothing")??;
        let line: Value = serde_json::from_str(&line.context("tail ended")?)?;
        Ok(line["title"].as_str().context("no title")?.to_owned())
    }

    async fn titles(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut titles = Vec::new();
        while titles.len() < count {
            titles.push(self.title().await?);
        }
        Ok(titles)
    }
}

fn push(scene: &Scene, id: u32) {
    scene.server.push_json(USER, &json!({ "id": id, "title": format!("no {id}"), "body": words(id) }));
}

fn words(id: u32) -> &'static str {
    if id.is_multiple_of(2) { "两盏灯 shipped" } else { "three chairs" }
}

async fn quiet_scene() -> anyhow::Result<Scene> {
    Scene::with("[[channel.rule]]\nwhen = \"title != 'marker'\"\nthen = \"store\"\n").await
}

async fn stored(scene: &Scene, ids: std::ops::RangeInclusive<u32>) -> anyhow::Result<()> {
    let count = ids.clone().count();
    ids.for_each(|id| push(scene, id));
    scene.app.wait_for_inbox("all stored", |stored| stored.len() == count).await.map(drop)
}

#[tokio::test]
async fn without_a_wish_only_what_comes_is_printed() -> anyhow::Result<()> {
    let scene = quiet_scene().await?;
    stored(&scene, 1..=3).await?;
    let mut tail = Tail::start(&scene, &[])?;
    // What comes before it listens is none of its business; it listens once it prints.
    let mut id = 3;
    let first = loop {
        id += 1;
        push(&scene, id);
        if let Ok(title) = timeout(MOMENT, tail.title()).await {
            break title?;
        }
    };
    let first: u32 = first.trim_start_matches("no ").parse()?;
    assert!(first > 3, "a stored one was printed: {first}");
    push(&scene, id + 1);
    let rest = tail.titles(usize::try_from(id + 1 - first)?).await?;
    assert_eq!(rest, (first + 1..=id + 1).map(|id| format!("no {id}")).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn stored_ones_since_an_id_or_a_time_come_first_and_new_ones_follow_without_gap_or_double()
-> anyhow::Result<()> {
    let scene = quiet_scene().await?;
    stored(&scene, 1..=700).await?;
    let expected: Vec<String> = (101..=900).map(|id| format!("no {id}")).collect();
    let mut after_id = Tail::start(&scene, &["--since", "100"])?;
    let mut hour = Tail::start(&scene, &["--since", "1h"])?;
    // They arrive while the stored ones are printed.
    (701..=900).for_each(|id| push(&scene, id));
    assert_eq!(after_id.titles(800).await?, expected);
    assert_eq!(hour.titles(900).await?[100..], expected);
    push(&scene, 901);
    assert_eq!(after_id.title().await?, "no 901");
    assert_eq!(hour.title().await?, "no 901");
    Ok(())
}

#[tokio::test]
async fn an_id_that_comes_again_is_news_behind_its_first() -> anyhow::Result<()> {
    let scene = quiet_scene().await?;
    stored(&scene, 1..=1).await?;
    let mut tail = Tail::start(&scene, &["--since", "1"])?;
    // Until it listens: what came before is the newest of that id then, and nothing behind it.
    for again in 0.. {
        scene.server.push_json(USER, &json!({ "id": 1, "title": format!("again {again}") }));
        if let Ok(title) = timeout(MOMENT, tail.title()).await {
            assert!(title?.starts_with("again"));
            break;
        }
        assert!(again < 100, "it never listens");
    }
    Ok(())
}

#[tokio::test]
async fn a_search_holds_for_stored_and_for_new_ones() -> anyhow::Result<()> {
    let scene = quiet_scene().await?;
    stored(&scene, 1..=5).await?;
    let mut tail = Tail::start(&scene, &["--search", "灯 ship"])?;
    assert_eq!(tail.titles(2).await?, ["no 2", "no 4"]);
    (6..=9).for_each(|id| push(&scene, id));
    assert_eq!(tail.titles(2).await?, ["no 6", "no 8"]);
    Ok(())
}

#[tokio::test]
async fn told_not_to_follow_it_ends_with_what_is_stored() -> anyhow::Result<()> {
    let scene = quiet_scene().await?;
    stored(&scene, 1..=5).await?;
    let output =
        scene.app.run(&["tail", "--json", "--since", "2", "--search", "chairs", "--no-follow"]).await?;
    assert_eq!((output.code, output.stdout.lines().count()), (Some(0), 2), "{output:?}");
    let output = scene.app.run(&["tail", "--since", "unheard-of"]).await?;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("unheard-of"), "{}", output.stderr);
    let output = scene.app.run(&["tail", "--no-follow"]).await?;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("Usage"), "{}", output.stderr);
    Ok(())
}

#[tokio::test]
async fn the_windows_wishes_are_granted_and_onlookers_hear_of_them() -> anyhow::Result<()> {
    let scene = quiet_scene().await?;
    stored(&scene, 1..=6).await?;
    let mut agent = Client::connect(&scene.app.socket()).await?;
    let mut history = async |query: HistoryQuery| {
        let Reply::History { messages } = agent.ask(&Request::History(query)).await? else {
            bail!("no history")
        };
        Ok(messages)
    };
    let query = HistoryQuery { limit: 50, ..HistoryQuery::default() };
    let found = history(HistoryQuery { search: Some("chairs".to_owned()), ..query.clone() }).await?;
    let titles: Vec<_> = found.iter().map(|stored| stored.message.title.as_str()).collect();
    assert_eq!(titles, ["no 5", "no 3", "no 1"]);
    assert!(history(HistoryQuery { channel: Some("none".to_owned()), ..query.clone() }).await?.is_empty());

    let mut agent = Client::connect(&scene.app.socket()).await?;
    agent.ask(&Request::Delete { messages: vec![found[0].row, 999] }).await?;
    scene.app.wait_for_status("of one less", |status| status.unread == 5).await?;
    agent.ask(&Request::MarkAllRead { channel: Some("none".to_owned()) }).await?;
    scene.app.wait_for_status("as it was", |status| status.unread == 5).await?;
    agent.ask(&Request::MarkAllRead { channel: Some("orders".to_owned()) }).await?;
    scene.app.wait_for_status("all read", |status| status.unread == 0).await?;
    // Of read ones no count changes, yet the tray's list of recent ones does.
    let recent = |item: &Seen| format!("{:?}", item.labels_in("Recent")).contains("no 6");
    scene.tray.wait_for("a list with it", recent).await?;
    agent.ask(&Request::Delete { messages: vec![found[0].row + 1] }).await?;
    scene.tray.wait_for("a list without it", |item| !recent(item)).await?;
    Ok(())
}
