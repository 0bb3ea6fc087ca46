//! The tray's icons travel inside the binary. A tray host reads icons from disk by name, so they are
//! unpacked into the state folder; for hosts that only take pixels each has a 22 px picture as well.

use std::path::Path;

/// File name, drawing, 22 px picture.
macro_rules! icons {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_bytes!(concat!("../../../../icons/tray/hicolor/scalable/status/", $name, ".svg")),
            include_bytes!(concat!("../../../../icons/tray/22/", $name, ".png")),
        )),*]
    };
}

const ICONS: &[(&str, &[u8], &[u8])] = icons![
    "tidings-connected",
    "tidings-connected-unread",
    "tidings-working",
    "tidings-working-unread",
    "tidings-off",
    "tidings-off-unread",
    "tidings-replaced",
    "tidings-replaced-unread",
    "tidings-attention",
    "tidings-attention-unread",
];

/// The app's own icon, for popups.
const APP: &[u8] = include_bytes!("../../../../icons/icon.svg");

/// Writes the icons under `folder`, where what is there differs.
pub(super) fn unpack(folder: &Path) -> std::io::Result<()> {
    let status = folder.join("hicolor/scalable/status");
    crate::paths::create_private(&status)?;
    for (name, drawing, _) in ICONS {
        write_if_other(&status.join(format!("{name}.svg")), drawing)?;
    }
    write_if_other(&folder.join("tidings.svg"), APP)
}

fn write_if_other(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    std::fs::write(path, content)
}

/// The 22 px picture of an icon, as the protocol wants it: ARGB, network byte order.
pub(super) fn pixmap(name: &str) -> Option<ksni::Icon> {
    let (_, _, picture) = ICONS.iter().find(|(icon, _, _)| *icon == name)?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    if (frame.color_type, frame.bit_depth) != (png::ColorType::Rgba, png::BitDepth::Eight) {
        return None;
    }
    for pixel in pixels.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    Some(ksni::Icon {
        width: i32::try_from(frame.width).ok()?,
        height: i32::try_from(frame.height).ok()?,
        data: pixels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_has_a_picture_of_22_by_22_pixels() {
        for (name, _, _) in ICONS {
            let icon = pixmap(name).expect(name);
            assert_eq!((icon.width, icon.height, icon.data.len()), (22, 22, 22 * 22 * 4), "{name}");
        }
    }

    #[test]
    fn icons_are_unpacked_where_a_tray_host_looks_for_them() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path()).unwrap();
        unpack(folder.path()).unwrap();
        for (name, drawing, _) in ICONS {
            let path = folder.path().join(format!("hicolor/scalable/status/{name}.svg"));
            assert_eq!(&std::fs::read(path).unwrap(), drawing);
        }
    }
}
