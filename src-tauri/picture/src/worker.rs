//! The short-lived process that reads one picture: its bytes come on stdin, a small PNG goes out on stdout. It is our own
//! program, started with a word that nobody types. Before it looks at the first byte it gives away what a picture could
//! abuse: memory, time, files and further processes. Whatever else goes wrong, it ends, and the picture is missing.

use std::ffi::OsString;
use std::io::{Cursor, Read as _, Write as _, stdin, stdout};
use std::process::ExitCode;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::size::Size;

/// The program's first argument that makes it such a process; the second is the size's word.
pub const WORD: &str = "read-picture";

/// Bytes of address space. Too low: photos can't be read; too high: a hostile picture takes the machine's memory.
const MEMORY: u64 = 512 << 20;
/// … of which a decoder may ask for so much at once.
const BUFFERS: u64 = 256 << 20;
/// Seconds of processor time. Too low: a photo on a slow machine is not read; too high: a hostile picture keeps it busy.
const PROCESSOR: u64 = 10;
/// Pixels of a picture, and of one of its sides. Too low: photos are left out (a phone's have 12 to 50 million); too high:
/// they don't fit into the memory.
const MOST_PIXELS: u64 = 50_000_000;
const MOST_SIDE: u32 = 16_384;
/// Longest answer, bytes; a picture that makes a longer one is made half as large.
pub(crate) const MOST_ANSWER: usize = 1 << 20;

/// Reads one picture, if that is what the program was started for; `None`: it was not.
#[must_use]
pub fn worker(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    if args.next()?.to_str() != Some(WORD) {
        return None;
    }
    let size = args.next().and_then(|word| Size::read(word.to_str()?));
    Some(match size.map(|size| limited().is_ok() && run(size).is_ok()) {
        Some(true) => ExitCode::SUCCESS,
        Some(false) | None => ExitCode::FAILURE,
    })
}

/// Gives away what isn't needed: the pipes are open already, and there is nothing else to open, write or start.
fn limited() -> rustix::io::Result<()> {
    // A panic here is no fault of ours to tell of.
    std::panic::set_hook(Box::new(|_| {}));
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, PROCESSOR),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 0),
        (Resource::Nproc, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

fn run(size: Size) -> Result<(), ImageError> {
    let mut bytes = Vec::new();
    stdin().lock().read_to_end(&mut bytes)?;
    let png = small(&bytes, size)?;
    let mut out = stdout().lock();
    out.write_all(&png)?;
    Ok(out.flush()?)
}

/// The picture as a PNG that fits. Of several frames it is the first.
fn small(bytes: &[u8], size: Size) -> Result<Vec<u8>, ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(BUFFERS);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let kind = image::error::LimitErrorKind::DimensionError;
        return Err(ImageError::Limits(image::error::LimitError::from_kind(kind)));
    }
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let whole = DynamicImage::from_decoder(decoder)?;
    let lies = matches!(
        turned,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let mut room = size.pixels();
    loop {
        // Turned once it is small.
        let (across, down) = if lies { (room.1, room.0) } else { room };
        let mut image = if whole.width() > across || whole.height() > down {
            whole.thumbnail(across, down)
        } else {
            whole.clone()
        };
        image.apply_orientation(turned);
        let image = if image.color().has_alpha() {
            DynamicImage::ImageRgba8(image.into_rgba8())
        } else {
            DynamicImage::ImageRgb8(image.into_rgb8())
        };
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png)?;
        let png = png.into_inner();
        if png.len() <= MOST_ANSWER {
            return Ok(png);
        }
        room = (room.0 / 2, room.1 / 2);
    }
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Rgb, Rgba};
    use proptest::prelude::*;

    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image: ImageBuffer<Rgb<u8>, _> = ImageBuffer::from_fn(width, height, |x, y| {
            Rgb([u8::try_from(x % 251).unwrap_or(0), u8::try_from(y % 241).unwrap_or(0), 90])
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(image).write_to(&mut bytes, format).expect("written");
        bytes.into_inner()
    }

    fn read(png: &[u8]) -> DynamicImage {
        image::load_from_memory_with_format(png, ImageFormat::Png).expect("a PNG of ours")
    }

    #[test]
    fn each_kind_of_picture_becomes_a_small_png_of_the_same_shape() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let png = small(&picture(700, 70, format), Size::Picture).expect("read");
            let image = read(&png);
            assert_eq!((image.width(), image.height()), (640, 64), "{format:?}");
            let icon = read(&small(&picture(48, 48, format), Size::Icon).expect("read"));
            assert_eq!((icon.width(), icon.height()), (48, 48), "{format:?}: a small one is not blown up");
        }
    }

    #[test]
    fn what_is_seen_through_stays_so() {
        let image: ImageBuffer<Rgba<u8>, _> = ImageBuffer::from_pixel(200, 200, Rgba([10, 20, 30, 0]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(image).write_to(&mut bytes, ImageFormat::Png).expect("written");
        let png = small(&bytes.into_inner(), Size::Icon).expect("read");
        assert_eq!(read(&png).into_rgba8().get_pixel(5, 5).0[3], 0);
    }

    /// A JPEG whose EXIF says that it was taken with the camera on its side.
    fn on_its_side(width: u32, height: u32) -> Vec<u8> {
        let jpeg = picture(width, height, ImageFormat::Jpeg);
        // APP1 with one entry: orientation (0x0112), a short, 6.
        let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let length = u16::try_from(2 + 6 + tiff.len()).expect("short").to_be_bytes();
        [&jpeg[..2], b"\xff\xe1", &length, b"Exif\0\0", tiff, &jpeg[2..]].concat()
    }

    #[test]
    fn a_photo_that_lies_on_its_side_is_turned() {
        let image = read(&small(&on_its_side(40, 10), Size::Picture).expect("read"));
        assert_eq!((image.width(), image.height()), (10, 40));
        let image = read(&small(&on_its_side(960, 240), Size::Picture).expect("read"));
        assert_eq!((image.width(), image.height()), (120, 480));
    }

    #[test]
    fn one_that_can_t_be_made_short_is_made_smaller() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()
        };
        let image: ImageBuffer<Rgba<u8>, _> = ImageBuffer::from_fn(640, 480, |_, _| Rgba(noise()));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(image).write_to(&mut bytes, ImageFormat::Png).expect("written");
        let png = small(&bytes.into_inner(), Size::Picture).expect("read");
        assert!(png.len() <= MOST_ANSWER);
        assert_eq!(read(&png).width(), 320);
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused_before_it_takes_memory() {
        let mut huge = picture(4, 4, ImageFormat::Png);
        // The header's width and height; the checksum behind them is not looked at first, or is wrong: refused either way.
        huge[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
        for bytes in [&b""[..], b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", &huge] {
            assert!(small(bytes, Size::Picture).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_broken_picture_is_refused_or_read_and_never_more(
            format in prop::sample::select(vec![ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP]),
            hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = picture(20, 15, format);
            for (at, byte) in hits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            if let Ok(png) = small(&bytes, Size::Icon) {
                prop_assert!(read(&png).width() <= 96);
            }
        }
    }
}
