//! What a person sees of a screen: where it changed, what it looks like there, and which words can be read.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Letters of screen fonts are too small for a program that was taught to read print.
const READING_GLASSES: &str = "400%";

/// A part of a screen, in pixels from its top left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// To the right of `x`.
    pub width: i32,
    /// Down from `y`.
    pub height: i32,
}

/// A picture of a screen, or of a part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// How many bytes a pixel has: three (red, green, blue), or four (blue, green, red, nothing) as Xvfb draws them.
    bytes: usize,
    /// Row by row.
    pixels: Vec<u8>,
}

impl Area {
    /// The point at these shares of width and height: `(0.5, 0.5)` is the middle.
    #[must_use]
    pub fn at(&self, across: f64, down: f64) -> (i32, i32) {
        #[expect(clippy::cast_possible_truncation, reason = "a point on a screen")]
        let along = |from: i32, length: i32, share: f64| from + (f64::from(length) * share) as i32;
        (along(self.x, self.width, across), along(self.y, self.height, down))
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

impl Picture {
    /// Of this width and height, three bytes a pixel.
    #[must_use]
    pub fn new((width, height): (usize, usize), pixels: Vec<u8>) -> Self {
        Self { width, height, bytes: 3, pixels }
    }

    /// Of this width and height, four bytes a pixel as Xvfb draws them.
    pub(crate) fn of_words((width, height): (usize, usize), pixels: Vec<u8>) -> Self {
        Self { width, height, bytes: 4, pixels }
    }

    /// Reads a PPM (`P6`), as `grim -t ppm` writes it.
    pub fn from_ppm(file: &[u8]) -> anyhow::Result<Self> {
        // Four words, then the pixels after one white space.
        let mut words = Vec::new();
        let mut at = 0;
        while words.len() < 4 {
            let rest = file.get(at..).context("a PPM without a head")?;
            let length = rest.iter().position(u8::is_ascii_whitespace).context("a PPM without a head")?;
            if length > 0 {
                words.push(std::str::from_utf8(&rest[..length])?);
            }
            at += length + 1;
        }
        ensure!(words[0] == "P6" && words[3] == "255", "not a PPM of 8 bits: {words:?}");
        let (width, height) = (words[1].parse()?, words[2].parse()?);
        let pixels = file.get(at..at + width * height * 3).context("a PPM that is cut off")?;
        Ok(Self::new((width, height), pixels.to_vec()))
    }

    /// The smallest part that holds all that differs from this earlier picture of the same screen.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> Option<Area> {
        let mut area: Option<(usize, usize, usize, usize)> = None;
        let line = self.width * self.bytes;
        for (y, (now, then)) in
            self.pixels.chunks_exact(line).zip(before.pixels.chunks_exact(line)).enumerate()
        {
            if now == then {
                continue;
            }
            let bytes = self.bytes;
            let unlike = |x: &usize| now[x * bytes..][..bytes] != then[x * bytes..][..bytes];
            let first = (0..self.width).find(unlike).unwrap_or(0);
            let last = (0..self.width).rev().find(unlike).unwrap_or(0);
            let (left, top, right, _) = area.unwrap_or((first, y, last, y));
            area = Some((left.min(first), top, right.max(last), y));
        }
        let (left, top, right, bottom) = area?;
        let pixels = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        Some(Area {
            x: pixels(left),
            y: pixels(top),
            width: pixels(right - left + 1),
            height: pixels(bottom - top + 1),
        })
    }

    /// The same, looked for within this part alone.
    #[must_use]
    pub fn changed_within(&self, ground: Area, before: &Self) -> Option<Area> {
        let area = self.part(ground).changed_since(&before.part(ground))?;
        Some(Area { x: area.x + ground.x, y: area.y + ground.y, ..area })
    }

    /// A part of it; what lies outside is left out.
    #[must_use]
    pub fn part(&self, area: Area) -> Self {
        let within = |from: i32, length: i32, all: usize| {
            let inside = |value: i32| usize::try_from(value).unwrap_or(0).min(all);
            inside(from)..inside(from + length)
        };
        let (across, down) =
            (within(area.x, area.width, self.width), within(area.y, area.height, self.height));
        let rows = self.pixels.chunks_exact(self.width * self.bytes).skip(down.start).take(down.len());
        let part = across.start * self.bytes..across.end * self.bytes;
        let mut pixels = Vec::with_capacity(part.len() * down.len());
        rows.for_each(|row| pixels.extend_from_slice(&row[part.clone()]));
        Self { width: across.len(), height: down.len(), bytes: self.bytes, pixels }
    }

    /// How many pixels are red, green and blue like this, or nearly so.
    #[must_use]
    pub fn pixels_like(&self, [red, green, blue]: [u8; 3]) -> usize {
        let near = |one: u8, other: u8| one.abs_diff(other) < 40;
        let like = |pixel: &[u8]| match *pixel {
            [b, g, r, _] => near(r, red) && near(g, green) && near(b, blue),
            [r, g, b] => near(r, red) && near(g, green) && near(b, blue),
            _ => false,
        };
        self.pixels.chunks_exact(self.bytes).filter(|pixel| like(pixel)).count()
    }

    /// Each pixel as a square of so many.
    #[must_use]
    pub fn enlarged(&self, times: usize) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len() * times * times);
        for row in self.pixels.chunks_exact(self.width * self.bytes) {
            let wide: Vec<u8> = row.chunks_exact(self.bytes).flat_map(|pixel| pixel.repeat(times)).collect();
            pixels.extend(wide.repeat(times));
        }
        Self { width: self.width * times, height: self.height * times, bytes: self.bytes, pixels }
    }

    /// The share of pixels that both have alike, from 0 to 1.
    #[must_use]
    pub fn alike(&self, other: &Self) -> f64 {
        let line = self.width * self.bytes;
        let rows = self.pixels.chunks_exact(line).zip(other.pixels.chunks_exact(line));
        let same: usize = rows
            .map(|(one, other)| {
                if one == other {
                    return self.width;
                }
                one.chunks_exact(self.bytes)
                    .zip(other.chunks_exact(self.bytes))
                    .filter(|(one, other)| one == other)
                    .count()
            })
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "pixels of a screen")]
        let share = same as f64 / (self.width * self.height).max(1) as f64;
        share
    }

    /// Saves it as a PNG.
    pub async fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut convert = Command::new("convert");
        convert.args([
            "-size",
            &format!("{}x{}", self.width, self.height),
            "-depth",
            "8",
            self.form(),
            "-strip",
        ]);
        fed(convert.args(["-alpha", "off"]).arg(path), &self.pixels, "Debian package: imagemagick")
            .await
            .map(drop)
    }

    /// As `convert` calls it.
    fn form(&self) -> &'static str {
        if self.bytes == 4 { "bgra:-" } else { "rgb:-" }
    }

    /// The words on it, as a person reads them, with one blank between them; quotes are straight ones.
    pub async fn text(&self) -> anyhow::Result<String> {
        // Dark letters on a light ground, and larger.
        let light = self.pixels.iter().map(|&part| u64::from(part)).sum::<u64>();
        let colours = self.width * self.height * 3;
        let dark = light < colours as u64 * 110;
        let mut convert = Command::new("convert");
        convert.args(["-size", &format!("{}x{}", self.width, self.height), "-depth", "8", self.form()]);
        convert.args(["-alpha", "off", "-colorspace", "Gray"]).args(dark.then_some("-negate"));
        convert.args(["-auto-level", "-filter", "Lanczos", "-resize", READING_GLASSES, "png:-"]);
        let larger = fed(&mut convert, &self.pixels, "Debian package: imagemagick").await?;
        let mut tesseract = Command::new("tesseract");
        tesseract.args(["-", "-", "--psm", "6", "--dpi", "300"]).env("OMP_THREAD_LIMIT", "1");
        let read = fed(&mut tesseract, &larger, "Debian package: tesseract-ocr").await?;
        let read = String::from_utf8_lossy(&read).replace(['’', '‘'], "'").replace(['“', '”'], "\"");
        Ok(read.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Runs a program with this on its stdin, and returns what it printed.
async fn fed(command: &mut Command, input: &[u8], from: &str) -> anyhow::Result<Vec<u8>> {
    let name = command.as_std().get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {name} ({from})"))?;
    let mut stdin = child.stdin.take().with_context(|| format!("{name} has no stdin"))?;
    let feeding = async move { stdin.write_all(input).await };
    let (output, fed) = tokio::join!(child.wait_with_output(), feeding);
    let output = output.with_context(|| format!("{name} did not end"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    fed.with_context(|| format!("{name} did not take the picture"))?;
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(text: &str) -> Picture {
        let rows: Vec<&str> = text.split_whitespace().collect();
        let pixels = rows.concat().bytes().flat_map(|byte| [byte; 3]).collect();
        Picture::new((rows[0].len(), rows.len()), pixels)
    }

    #[test]
    fn tells_where_it_changed() {
        let before = picture("..... ..... .....");
        assert_eq!(before.changed_since(&before), None);
        let area = Area { x: 1, y: 0, width: 3, height: 2 };
        let now = picture(".x... ...x. .....");
        assert_eq!(now.changed_since(&before), Some(area));
        assert_eq!(now.part(area), picture("x.. ..x"));
        assert_eq!(area.at(0.5, 0.5), (2, 1));
    }

    #[test]
    fn keeps_to_the_screen_when_a_part_reaches_beyond() {
        let part = picture("ab cd").part(Area { x: 1, y: -3, width: 9, height: 9 });
        assert_eq!(part, picture("b d"));
    }

    #[test]
    fn reads_a_ppm() {
        let file = [b"P6\n2 1\n255\n".as_slice(), b"\n \n \n ".as_slice()].concat();
        let picture = Picture::from_ppm(&file).expect("a PPM");
        assert_eq!(picture, Picture::new((2, 1), b"\n \n \n ".to_vec()));
        assert!(Picture::from_ppm(b"P6\n2 1\n255\n123").is_err(), "it is cut off");
    }
}
