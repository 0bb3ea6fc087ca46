//! One tray host, and Tidings' icon in it.

use anyhow::ensure;
use tidings_tests::real::Real;
use tidings_tests::real_icon::RealIcon;

use crate::report::{Cell, Row, Sheet};

/// How many pixels a menu's height may differ by: shadows, and a pointer.
const ROW: i32 = 12;

pub(crate) async fn on(host: &'static Real, sheet: &mut Sheet) -> Row {
    let mut row = Row::of(host.name);
    row.version = host.version();
    match RealIcon::in_host(host).await {
        Ok(mut desk) => {
            row.note("connected", Ok(Cell::well()));
            row.note_seen("states", states(&mut desk, sheet).await, &desk.stage, sheet).await;
            row.note_seen("tooltip", tooltip(&desk, sheet).await, &desk.stage, sheet).await;
            row.note_seen("menu while the link falls", menu(&mut desk, sheet).await, &desk.stage, sheet)
                .await;
            row.note_seen("host restarted", restart(&mut desk, sheet).await, &desk.stage, sheet).await;
        }
        Err(error) => row.note("connected", Err(error)),
    }
    row
}

async fn states(desk: &mut RealIcon, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let seen = desk.states().await?;
    let mut alike = Vec::new();
    for (index, (name, picture)) in seen.iter().enumerate() {
        sheet.add(&format!("{} icon {name}", desk.stage.name()), &picture.enlarged(6)).await?;
        alike.extend(
            seen[..index]
                .iter()
                .filter(|(_, other)| picture == other)
                .map(|(other, _)| format!("{name} like {other}")),
        );
    }
    ensure!(alike.is_empty(), "{alike:?}");
    Ok(Cell::Well(format!("{} that differ", seen.len())))
}

async fn tooltip(desk: &RealIcon, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let Some((read, screen)) = desk.tooltip().await? else { return Ok(Cell::None("none there")) };
    sheet.add(&format!("{} tooltip", desk.stage.name()), &screen).await?;
    ensure!(read.to_lowercase().contains("connected"), "no state in it: {read:?}");
    Ok(Cell::Well(read))
}

async fn menu(desk: &mut RealIcon, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    if desk.stage.name() == "swaybar" {
        return Ok(Cell::None("no menu there"));
    }
    let menu = desk.menu_while_the_link_falls().await?;
    sheet.add(&format!("{} menu", desk.stage.name()), &menu.open).await?;
    sheet.add(&format!("{} menu then", desk.stage.name()), &menu.fallen).await?;
    let (before, now) = (menu.before.height, menu.now.height);
    ensure!((now - before).abs() < ROW, "{before} pixels high before, {now} then");
    Ok(Cell::Well(format!(
        "{now} pixels high, as before; read: {}",
        menu.fallen.part(menu.now).text().await?
    )))
}

async fn restart(desk: &mut RealIcon, sheet: &mut Sheet) -> anyhow::Result<Cell> {
    let took = desk.restart().await?;
    sheet.add(&format!("{} restarted", desk.stage.name()), &desk.stage.settled().await?).await?;
    Ok(Cell::Well(format!("{:.1} s after its start", took.as_secs_f64())))
}
