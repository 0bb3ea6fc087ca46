use tidings_tests::window::Desk;

/// Part of the paths of drivers and of what finds them, as Mesa and the vendors' own install them.
const DRIVERS: [&str; 3] = ["/dri/", "libEGL_", "libgallium"];

#[tokio::test]
async fn the_windows_own_process_loads_no_graphics_driver() -> anyhow::Result<()> {
    let desk = Desk::start().await?;
    desk.tray.click("Open Tidings").await?;
    // It appears with its page on it: all is loaded by then.
    desk.wait_for_windows(1).await?;
    let windows = desk.processes("tidings-window")?;
    assert_eq!(windows.len(), 1);
    let mapped = std::fs::read_to_string(format!("/proc/{}/maps", windows[0]))?;
    assert!(mapped.contains("libwebkit2gtk"), "the engine is there");
    let drivers: Vec<&str> =
        mapped.lines().filter(|line| DRIVERS.iter().any(|driver| line.contains(driver))).collect();
    assert_eq!(drivers, Vec::<&str>::new());
    Ok(())
}
