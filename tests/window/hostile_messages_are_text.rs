use serde_json::json;
use tidings_server::{Options, Server};
use tidings_tests::window::{Desk, USER};

#[tokio::test]
async fn markup_and_scripts_in_messages_render_as_text_and_break_no_policy() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    page.script(
        "window.violations = []; document.addEventListener('securitypolicyviolation', \
         event => window.violations.push(event.violatedDirective));",
    )
    .await?;
    let hostile = "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 2'><b>bold</b>";
    desk.server
        .push_json(USER, &json!({"title": hostile, "body": hostile, "url": "javascript:window.hurt=3"}));
    page.shows("<script>window.hurt = 1</script>").await?;
    desk.server.push_json(USER, &json!({"title": "huge", "body": "x".repeat(900_000)}));
    page.shows("huge").await?;
    assert_eq!(page.script("return window.hurt ?? null").await?, json!(null));
    assert_eq!(
        page.script("return document.querySelectorAll('main b, main script, main img').length").await?,
        json!(0)
    );
    let wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(page.script(wide).await?, json!(false));
    page.click("Disconnect").await?;
    page.shows("Disconnected").await?;
    assert_eq!(page.script("return window.violations").await?, json!([]));
    // The proof that one would have been seen.
    page.script("const style = document.createElement('script'); style.src = 'https://a.example/x.js'; document.body.append(style)")
        .await?;
    let seen = "return window.violations.length > 0";
    let mut looks = 0;
    while page.script(seen).await? != json!(true) {
        looks += 1;
        assert!(looks < 1000, "a violation goes unseen");
    }
    page.close().await
}

#[tokio::test]
async fn markdown_is_drawn_and_nothing_in_it_is_fetched_or_run() -> anyhow::Result<()> {
    let settings = |server: &Server| {
        format!("[[channel]]\nname = \"Orders\"\nurl = {:?}\nformat = \"markdown\"\n", server.url(USER))
    };
    let desk = Desk::start_with(Options::default(), settings, false).await?;
    desk.shows("Connected since ").await?;
    let page = desk.open_page().await?;
    page.shows("Connected since").await?;
    page.script(
        "window.violations = []; document.addEventListener('securitypolicyviolation', \
         event => window.violations.push(event.violatedDirective));",
    )
    .await?;
    let body = "# Disk **full**\n\n1. see [the log](https://shop.example/log)\n2. [run](javascript:window.hurt=1)\n\n\
                ![a cat](https://shop.example/cat.png)\n\n<img src=x onerror='window.hurt = 2'>\n\n> quoted\n\n```\ncode\n```";
    desk.server.push_json(USER, &json!({"title": "Backup", "body": body}));
    page.shows("1. see the log (https://shop.example/log)").await?;
    page.script("document.querySelector('button.title').click()").await?;
    page.is("document.querySelector('.rich h3 strong')?.textContent === 'full'").await?;
    page.is("document.querySelector('.rich ol > li a')?.title === 'https://shop.example/log'").await?;
    page.is("document.querySelector('.rich').textContent.includes('<img src=x onerror=')").await?;
    page.is("document.querySelector('.rich').textContent.includes('run (javascript:window.hurt=1)')").await?;
    page.is("document.querySelectorAll('.rich a').length === 2").await?;
    page.is("document.querySelectorAll('main img, .rich a[href], .rich script').length === 0").await?;
    assert_eq!(page.script("return [window.hurt ?? null, window.violations]").await?, json!([null, []]));
    page.close().await
}
