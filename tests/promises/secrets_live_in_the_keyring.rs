//! The real keyring of a desktop, on a bus of its own.

use std::collections::BTreeMap;

use tidings_api::{ChannelReport, StateName, StatusReport};
use tidings_server::{Options, Server};
use tidings_tests::app::App;
use tidings_tests::desktop::PrivateBus;
use tidings_tests::files;
use tidings_tests::keyring::Keyring;
use tidings_tests::scene::{Place, USER, channel};

const TOKEN: &str = "s3cret-of-ann";

/// A server that asks for a token, and an agent that has none in its settings.
struct Desk {
    app: App,
    server: Place,
    keyring: Option<Keyring>,
    _bus: PrivateBus,
}

impl Desk {
    async fn start(with_keyring: bool) -> anyhow::Result<Self> {
        let tokens = BTreeMap::from([(TOKEN.to_owned(), USER.to_owned())]);
        let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
        let bus = PrivateBus::start()?;
        let keyring = if with_keyring { Some(Keyring::start(&bus).await?) } else { None };
        let url = format!("ws://{}/ws/user-channel", server.addr());
        let app = App::with_settings(channel("Orders", &url)).bus(&bus).background().start().await?;
        Ok(Self { app, server, keyring, _bus: bus })
    }

    fn keyring(&self) -> &Keyring {
        self.keyring.as_ref().expect("started with one")
    }

    async fn wait_for(&self, state: StateName) -> anyhow::Result<ChannelReport> {
        let is =
            |status: &StatusReport| status.channels.first().is_some_and(|channel| channel.state == state);
        let mut status = self.app.wait_for_status(state.as_str(), is).await?;
        Ok(status.channels.remove(0))
    }

    async fn set(&self) -> anyhow::Result<()> {
        let output = self.app.run_with(&["secret", "set", "Orders"], &format!("{TOKEN}\nnot this\n")).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:?}");
        assert!(!output.stderr.contains(TOKEN), "{output:?}");
        Ok(())
    }
}

#[tokio::test]
async fn a_secret_that_is_set_connects_at_once_and_is_nowhere_else() -> anyhow::Result<()> {
    let mut desk = Desk::start(true).await?;
    let refused = desk.wait_for(StateName::NeedsUser).await?;
    let cause = refused.cause.expect("a cause");
    assert!(cause.contains("401") && cause.contains("tidings secret set orders"), "{cause}");

    desk.set().await?;
    desk.wait_for(StateName::Connected).await?;
    assert_eq!(desk.server.links(USER), 1);

    let status = desk.app.run(&["status", "--json"]).await?;
    assert!(!status.stdout.contains(TOKEN) && !desk.app.log().contains(TOKEN));
    assert_eq!(files::that_hold(&desk.app.home(), TOKEN), Vec::<String>::new());
    assert_eq!(
        files::that_hold(desk.keyring().folder(), TOKEN),
        Vec::<String>::new(),
        "the keyring encrypts what it keeps"
    );

    desk.app.restart(tidings_tests::app::Start::Background).await?;
    desk.wait_for(StateName::Connected).await?;
    Ok(())
}

#[tokio::test]
async fn a_refused_secret_that_another_program_replaces_is_noticed() -> anyhow::Result<()> {
    let desk = Desk::start(true).await?;
    desk.wait_for(StateName::NeedsUser).await?;
    let output = desk.app.run_with(&["secret", "set", "Orders"], "not-hers\n").await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    desk.app
        .wait_for_status("refused with it", |status| {
            let log = desk.app.log();
            log.matches("only the user can mend this").count() > 1
                && status.channels[0].state == StateName::NeedsUser
        })
        .await?;
    // The keyring tells the newest by the second.
    let second = jiff::Timestamp::now().as_second();
    while jiff::Timestamp::now().as_second() == second {
        tokio::task::yield_now().await;
    }
    desk.keyring().keep_elsewhere("orders", TOKEN).await?;
    desk.wait_for(StateName::Connected).await?;
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_cleared_is_asked_for_again() -> anyhow::Result<()> {
    let desk = Desk::start(true).await?;
    desk.set().await?;
    desk.wait_for(StateName::Connected).await?;
    let cleared = desk.app.run(&["secret", "clear", "orders"]).await?;
    assert_eq!(cleared.code, Some(0), "{cleared:?}");
    let refused = desk.wait_for(StateName::NeedsUser).await?;
    assert!(refused.cause.expect("a cause").contains("tidings secret set orders"));
    let again = desk.app.run(&["secret", "clear", "orders"]).await?;
    assert!(again.stderr.contains("no secret"), "{again:?}");
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_cleared_is_gone_though_it_was_there_twice() -> anyhow::Result<()> {
    let desk = Desk::start(true).await?;
    desk.set().await?;
    desk.keyring().keep_elsewhere("orders", TOKEN).await?;
    desk.wait_for(StateName::Connected).await?;
    let cleared = desk.app.run(&["secret", "clear", "orders"]).await?;
    assert!(cleared.code == Some(0) && cleared.stderr.contains("2 times"), "{cleared:?}");
    assert_eq!(desk.keyring().count("orders").await?, 0);
    desk.wait_for(StateName::NeedsUser).await?;
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_set_is_the_one_that_is_used_whatever_else_there_was() -> anyhow::Result<()> {
    let desk = Desk::start(true).await?;
    for other in ["one", "two"] {
        desk.keyring().keep_elsewhere("orders", other).await?;
    }
    desk.wait_for(StateName::NeedsUser).await?;
    desk.set().await?;
    desk.wait_for(StateName::Connected).await?;
    assert_eq!(desk.keyring().count("orders").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_locked_keyring_is_waited_for_and_never_prompted_at() -> anyhow::Result<()> {
    let mut desk = Desk::start(true).await?;
    desk.set().await?;
    desk.wait_for(StateName::Connected).await?;
    desk.keyring().lock().await?;
    desk.app.restart(tidings_tests::app::Start::Background).await?;
    let locked = desk.wait_for(StateName::NeedsUser).await?;
    assert!(locked.cause.expect("a cause").contains("the keyring is locked"));
    let upgrades = desk.server.upgrades();

    // Not from a script either: nobody would see the prompt.
    let output = desk.app.run_with(&["secret", "set", "orders"], "other\n").await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("the keyring is locked"), "{output:?}");

    desk.keyring().unlock().await?;
    desk.wait_for(StateName::Connected).await?;
    assert_eq!(desk.server.upgrades(), upgrades + 1, "one dial, with the secret");
    Ok(())
}

#[tokio::test]
async fn without_a_keyring_the_words_say_what_else_there_is() -> anyhow::Result<()> {
    let desk = Desk::start(false).await?;
    let refused = desk.wait_for(StateName::NeedsUser).await?;
    let cause = refused.cause.expect("a cause");
    let output = desk.app.run_with(&["secret", "set", "orders"], &format!("{TOKEN}\n")).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    for words in [&cause, &output.stderr, &desk.app.log()] {
        for key in ["token_command", "token_file", "token_env"] {
            assert!(words.contains(key), "{words}");
        }
        assert!(!words.contains(TOKEN), "{words}");
    }
    Ok(())
}

#[tokio::test]
async fn what_can_t_be_set_is_told_as_wrong_use() -> anyhow::Result<()> {
    let bus = PrivateBus::start()?;
    let server = Place::start().await?;
    let settings = channel("Orders", &server.url(USER)) + "token_env = \"ORDERS\"\n";
    let app = App::with_settings(settings).bus(&bus).background().start().await?;
    for (args, input, words) in [
        (&["secret", "set", "orders"], "x\n", "token_env"),
        (&["secret", "set", "nobody"], "x\n", "no channel is called"),
    ] {
        let output = app.run_with(args, input).await?;
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains(words), "{output:?}");
    }
    Ok(())
}
