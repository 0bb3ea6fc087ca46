//! What is on the screen, read from the file that Xvfb draws into (its `-fbdir`, in the X Window Dump format):
//! in a few milliseconds, where a program that asks the X server for a picture takes up to a hundred.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Width and height of the screen in pixels.
pub const SCREEN: (usize, usize) = (1280, 720);

/// The file's name; Xvfb gives it.
const FILE: &str = "Xvfb_screen0";

/// Positions in the head of the file, which is of big-endian numbers of four bytes.
const HEAD_LENGTH: usize = 0;
const BITS_PER_PIXEL: usize = 11;
const BYTES_PER_LINE: usize = 12;
const COLOURS: usize = 19;
/// The bytes of one entry of the colour map, which follows the head.
const COLOUR: usize = 12;

/// The file in the folder that Xvfb was given.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The screen as it is now: three bytes a pixel (red, green, blue), row by row.
pub(super) fn pixels(file: &Path) -> anyhow::Result<Vec<u8>> {
    let words = words(file)?;
    let mut pixels = Vec::with_capacity(SCREEN.0 * SCREEN.1 * 3);
    // Xvfb keeps them as its own machine does: blue, green, red and nothing on all that we run on.
    for pixel in words.chunks_exact(4) {
        pixels.extend([pixel[2], pixel[1], pixel[0]]);
    }
    Ok(pixels)
}

/// The same in Xvfb's own form, four bytes a pixel, which costs next to nothing to get.
pub(super) fn words(file: &Path) -> anyhow::Result<Vec<u8>> {
    let dump = fs::read(file).context("cannot see the screen")?;
    let field = |position: usize| -> anyhow::Result<usize> {
        let bytes = dump.get(position * 4..position * 4 + 4).context("the screen's file has no head")?;
        Ok(u32::from_be_bytes(bytes.try_into()?) as usize)
    };
    ensure!(field(BITS_PER_PIXEL)? == 32, "the screen has {} bits a pixel, not 32", field(BITS_PER_PIXEL)?);
    let start = field(HEAD_LENGTH)? + field(COLOURS)? * COLOUR;
    let line = field(BYTES_PER_LINE)?;
    let rows = dump.get(start..start + line * SCREEN.1).context("the screen's file is cut off")?;
    let mut words = Vec::with_capacity(SCREEN.0 * SCREEN.1 * 4);
    for row in rows.chunks_exact(line) {
        words.extend_from_slice(&row[..SCREEN.0 * 4]);
    }
    Ok(words)
}
