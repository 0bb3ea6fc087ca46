use std::future::Future;

use tidings_tests::real::named;
use tidings_tests::real_icon::RealIcon;

/// Two that a Debian stable has, and that differ: mate-panel tells of an opened menu, and shows the title as markup.
const HOSTS: [&str; 2] = ["xfce4-panel", "mate-panel"];

async fn in_each<F>(check: impl Fn(RealIcon) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    for name in HOSTS {
        check(RealIcon::in_host(named(name)?).await?).await.map_err(|error| error.context(name))?;
    }
    Ok(())
}

#[tokio::test]
async fn each_state_and_the_unread_dot_look_like_nothing_else() -> anyhow::Result<()> {
    in_each(async |mut desk| {
        let seen = desk.states().await?;
        for (index, (name, picture)) in seen.iter().enumerate() {
            for (other, before) in &seen[..index] {
                assert!(picture != before, "{name} looks like {other}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_tooltip_tells_the_state() -> anyhow::Result<()> {
    in_each(async |desk| {
        let (read, _) = desk.tooltip().await?.expect("a tooltip");
        assert!(read.contains("Connected since"), "{read:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_menu_left_open_while_the_link_falls_tells_it_and_keeps_its_size() -> anyhow::Result<()> {
    in_each(async |mut desk| {
        let menu = desk.menu_while_the_link_falls().await?;
        let read = menu.fallen.part(menu.now).text().await?;
        assert!(read.contains("server restarting"), "{read:?}");
        assert!(read.contains("Quit"), "the last row is out of sight: {read:?}");
        assert_eq!(menu.now.height, menu.before.height);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_icon_comes_back_with_its_host() -> anyhow::Result<()> {
    in_each(async |mut desk| desk.restart().await.map(drop)).await
}
