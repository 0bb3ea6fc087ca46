//! A hostile site in the sign-in's view reaches nothing but its own page, and can't go on for ever.

use serde_json::Value;
use tidings_server::Options;
use tidings_tests::desktop::Desktop;
use tidings_tests::sign_in::SignIn;
use tidings_tests::wait::eventually_within;
use tidings_tests::web::{Asked, Page, Web, json};
use tidings_tests::window::{Desk, SOON};

const HOST: &str = "127.0.0.1";
/// As large as nobody's sign-in page is.
const LARGE: usize = 100 << 20;

fn html(path: &'static str, body: String) -> Page {
    Page { path, status: 200, headers: "Content-Type: text/html\r\n".to_owned(), body }
}

async fn told(web: &Web, what: &str) -> Asked {
    let line = format!("POST {what}");
    let comes = async || web.asked().into_iter().find(|asked| asked.line == line);
    eventually_within(&line, SOON, comes).await.expect("told")
}

#[tokio::test]
async fn a_hostile_page_reaches_neither_us_nor_the_system_and_ends() {
    let redirect =
        Page { path: "/loop", status: 302, headers: "Location: /loop\r\n".to_owned(), body: String::new() };
    let pages = vec![
        html("/hostile", include_str!("hostile_sites_get_nothing_of_it.html").to_owned()),
        json("/told", "{}"),
        redirect,
        html("/on", "<script>location.href = '/on?' + Math.random()</script>".to_owned()),
        html("/large", format!("<p>{}", "x".repeat(LARGE))),
    ];
    let web = Web::start(pages, json("/", "{}")).await.expect("a site");
    let at = web.addr;
    let channel = |name: &str| {
        format!(
            "[[channel]]\nname = \"{name}\"\nurl = \"ws://{at}/channel/{name}\"\nauth = \"session\"\nsign_in = \"http://{at}/{name}\"\n"
        )
    };
    let settings = ["hostile", "loop", "on", "large"].map(channel).concat();
    let desktop = Desktop::start().await.expect("a desktop");
    let desk = Desk::start_in(desktop, Options::default(), |_| settings.clone(), true).await.expect("a desk");
    let socket = tidings_api::socket::path_in(&desk.desktop.home().join(".local/state/tidings"));
    let open = async |name: &str| {
        let mut client = tidings_api::client::Client::connect(&socket).await.expect("the agent");
        let request = tidings_api::Request::SignIn { channel: name.to_owned(), activation_token: None };
        client.ask(&request).await.expect("done");
    };

    open("hostile").await;
    let view = SignIn::of(&desk.desktop, HOST).await.expect("the page");
    let asked = told(&web, "/told").await;
    let cookies = asked.headers.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap_or_default();
    assert_eq!(cookies, "ours=1", "none for another site");
    let told: Value = serde_json::from_str(&asked.body).expect("JSON");
    let one = |key: &str| told[key].as_str().expect(key);
    assert_eq!(one("globals"), "", "{told}");
    for address in [
        "ipc://localhost/act",
        "http://ipc.localhost/act",
        "tauri://localhost/index.html",
        "file:///etc/hostname",
    ] {
        assert!(one(address).starts_with("refused: "), "{told}");
    }
    assert_eq!((one("window"), one("notification"), one("stays")), ("null", "denied", "/hostile"), "{told}");
    for refused in ["fullscreen", "workers", "socket", "frame"] {
        assert!(one(refused).starts_with("refused: "), "{told}");
    }
    let asked = web.asked();
    assert!(!asked.iter().any(|asked| asked.line.contains("/ws/")), "no link from anywhere: {asked:?}");
    // The window manager may be late to tell of the one that is there.
    assert!(desk.windows().await.len() <= 1, "no window but the view's");
    // It wanted to go where nobody answers: that is no page, and no address.
    view.says().await.expect("words in place of the page");
    view.close().await.expect("closed");

    for endless in ["loop", "on", "large"] {
        open(endless).await;
        let view = SignIn::opened(&desk.desktop).await.expect("the window");
        let line = format!("GET /{endless}");
        let comes = async || web.asked().iter().any(|asked| asked.line == line).then_some(());
        eventually_within(&line, SOON, comes).await.expect("asked for");
        view.ends(&format!("Sign in to {endless}")).await.expect("it ends with a word");
        let asked = web.asked().iter().filter(|asked| asked.line.contains(endless)).count();
        assert!(asked <= 60, "{asked} pages");
        view.close().await.expect("closed");
    }
}
