//! Windows of programs on the desktop: how many are to be seen, whether they are painted, and closing them as
//! a person does.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use super::{Desktop, LOOK, SCREEN};

/// A part of the screen that a window covers wherever the window manager puts it first, in pixels.
const TOP: usize = 80;
const HEIGHT: usize = 200;
const WIDTH: usize = 600;
/// An empty window is one colour or what lies below it; smoothed text brings dozens.
const SHADES: usize = 30;

/// Between two looks at a screen whose paint is timed.
const GLANCE: Duration = Duration::from_millis(4);

/// A part of the screen that a window's page covers wherever the window manager puts it, below its title.
const PAGE: (std::ops::Range<usize>, std::ops::Range<usize>) = (170..950, 100..650);

/// A text that [`Desktop::wait_for_blocks`] knows: a bar of the text's colour once it is painted.
pub const BLOCKS: &str = "████████████████████████████████";
/// Its least width in pixels (the glyphs may have gaps between them), and how light its colour may be, of 255.
const BAR: usize = 150;
const DARK: u8 = 140;
/// What is there before the window.
const BARE_DESKTOP: [u8; 3] = [0x3d, 0x5a, 0x73];

impl Desktop {
    /// The visible windows of this class, by their X ids.
    pub async fn windows(&self, class: &str) -> Vec<String> {
        // xdotool fails where there is none.
        let found = self.xdotool(&["search", "--onlyvisible", "--class", class]).await;
        found.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Waits until as many windows of this class are to be seen, and tells which.
    pub async fn wait_for_windows(
        &self,
        class: &str,
        count: usize,
        within: Duration,
    ) -> anyhow::Result<Vec<String>> {
        let deadline = Instant::now() + within;
        loop {
            let found = self.windows(class).await;
            if found.len() == count {
                return Ok(found);
            }
            ensure!(Instant::now() < deadline, "{count} windows of {class} expected, there are {found:?}");
            sleep(LOOK).await;
        }
    }

    /// Waits until what the first window shows is painted.
    pub async fn wait_for_paint(&self, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let pixels = self.pixels()?;
            let window = pixels.chunks_exact(SCREEN.0 * 3).skip(TOP).take(HEIGHT);
            let shades: HashSet<&[u8]> = window.flat_map(|row| row[..WIDTH * 3].chunks_exact(3)).collect();
            if shades.len() >= SHADES {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the window was not painted within {within:?}");
            sleep(GLANCE).await;
        }
    }

    /// Waits until [`BLOCKS`] is painted on a light page.
    pub async fn wait_for_blocks(&self, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let pixels = self.pixels()?;
            let rows = pixels.chunks_exact(SCREEN.0 * 3).skip(PAGE.1.start).take(PAGE.1.len());
            let bar = |row: &[u8]| {
                let mut widths: HashMap<[u8; 3], usize> = HashMap::new();
                let pixels = row[PAGE.0.start * 3..PAGE.0.end * 3].as_chunks::<3>().0;
                for run in pixels.chunk_by(|left, right| left == right) {
                    *widths.entry(run[0]).or_default() += run.len();
                }
                let dark =
                    |colour: &[u8; 3]| *colour != BARE_DESKTOP && colour.iter().all(|part| *part < DARK);
                widths.iter().any(|(colour, width)| *width >= BAR && dark(colour))
            };
            if rows.into_iter().any(bar) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the blocks were not painted within {within:?}");
            sleep(GLANCE).await;
        }
    }

    /// Closes a window as the button in its frame does.
    pub fn close_window(&self, id: &str) -> anyhow::Result<()> {
        let mut close = self.command("wmctrl");
        let status = close.args(["-i", "-c", id]).status().context("no wmctrl (Debian package: wmctrl)")?;
        ensure!(status.success(), "wmctrl: {status}");
        Ok(())
    }
}
