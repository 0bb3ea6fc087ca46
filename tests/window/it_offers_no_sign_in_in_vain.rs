//! Where a sign-in can't help, the page offers none: it says why.

use tidings_tests::desktop::Desktop;
use tidings_tests::web::{Page, Web};
use tidings_tests::window::Desk;

const SIGN_IN: &str = "Sign in …";

#[tokio::test]
async fn a_provider_that_is_none_is_asked_once() -> anyhow::Result<()> {
    let nothing = Page { status: 404, ..tidings_tests::web::json("", "") };
    let web = Web::start(Vec::new(), nothing).await?;
    let settings = format!(
        "[[channel]]\nname = \"Orders\"\nurl = \"ws://{}/ws\"\noauth = {{ issuer = \"{}\", client_id = \"tidings\" }}\n",
        web.addr,
        web.at("")
    );
    let desk =
        Desk::start_in(Desktop::start().await?, Default::default(), |_| settings.clone(), true).await?;
    let page = desk.open_page().await?;
    page.shows(SIGN_IN).await?;
    page.click(SIGN_IN).await?;
    let words = "is no OAuth provider, or another one than `issuer` says; correct `issuer`";
    page.until("why, and no sign-in", |text| text.contains(words) && !text.contains(SIGN_IN)).await?;
    page.close().await
}
