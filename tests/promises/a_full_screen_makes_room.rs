use serde_json::json;
use tidings_tests::notification_service::Manner;
use tidings_tests::scene::{Scene, USER};

/// As many as notification-daemon bears, counting those whose time is up.
const ROOM: usize = 21;

// As good as no flood control.
const ALL: &str = "[notifications]\nburst = 1000\nrefill = \"1ms\"\n";

#[tokio::test]
async fn the_oldest_popup_makes_room_where_the_service_bears_no_more() -> anyhow::Result<()> {
    let scene = Scene::with(ALL).await?;
    scene.popups.has_room_for(ROOM);
    for number in 1..=2 * ROOM {
        scene.marker(&number.to_string()).await?;
    }
    let popups = scene.popups.popups();
    let oldest: Vec<_> = popups[..ROOM].iter().map(|popup| popup.id).collect();
    let newest: Vec<_> = popups[ROOM..].iter().map(|popup| popup.id).collect();
    assert_eq!(scene.popups.withdrawn(), oldest);
    assert_eq!(scene.popups.open(), newest);
    let kept = |message: &tidings_tests::app::Stored| message.unread && message.state == "shown";
    let all = scene
        .app
        .wait_for_inbox("all of them", |stored| stored.iter().filter(|one| kept(one)).count() == 2 * ROOM);
    all.await?;
    Ok(())
}

#[tokio::test]
async fn what_is_critical_is_the_last_to_make_room() -> anyhow::Result<()> {
    let scene = Scene::with(ALL).await?;
    scene.popups.has_room_for(2);
    scene.server.push_json(USER, &json!({ "title": "fire", "priority": 5 }));
    let fire = scene.popups.wait_for_title("fire").await?;
    for title in ["one", "two", "three"] {
        scene.marker(title).await?;
    }
    assert!(scene.popups.open().contains(&fire.id), "{:?}", scene.popups.withdrawn());
    Ok(())
}

#[tokio::test]
async fn a_service_that_refuses_everything_is_not_emptied() -> anyhow::Result<()> {
    let scene = Scene::with(ALL).await?;
    for number in 1..=10 {
        scene.marker(&number.to_string()).await?;
    }
    scene.popups.behave(Manner::Refuse);
    for number in 11..=20 {
        scene.server.push_json(USER, &json!({ "title": number.to_string() }));
    }
    let last = |service: &tidings_tests::notification_service::NotificationService| {
        service.unanswered().contains(&"20".to_owned())
    };
    scene.popups.wait_until("all refused", last).await?;
    assert!(scene.popups.withdrawn().len() <= 3, "{:?}", scene.popups.withdrawn());
    Ok(())
}
