//! The tray's icons travel inside the binary. A tray host reads icons from disk by name, so they are
//! unpacked into the state folder; for hosts that only take pixels each has a 22 px picture as well.
//!
//! Hosts differ in where below that folder they look. Most add it to the folders of their icon theme and read
//! `hicolor/…` there. GNOME's extension has it alone: without an index of a theme it finds what lies in the folder
//! itself, and for a name that doesn't it takes one that begins so, which is another state's icon or the app's. (An
//! index of ours would be the wrong cure: a host that finds it first has it as the index of everybody's icons.) So
//! each icon is in both places, and if one can't be there, none is named and the hosts take the pictures.
//!
//! Plasma looks through the desktop's themes before it comes to that folder, and in each takes what is called as the name
//! is up to a `-`, too: of `tidings-off` the app's own icon, `tidings`, wherever that is installed. So no name has a `-`.

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
    "tidings_connected",
    "tidings_connected_unread",
    "tidings_working",
    "tidings_working_unread",
    "tidings_off",
    "tidings_off_unread",
    "tidings_replaced",
    "tidings_replaced_unread",
    "tidings_attention",
    "tidings_attention_unread",
];

/// The app's own icon, for popups. As a picture: a drawing without pixels is drawn at its own size by dunst, half a
/// screen wide.
const APP: &[u8] = include_bytes!("../../../../icons/64x64.png");

/// Its file's name.
pub(crate) const POPUP_ICON: &str = "popup.png";

/// Writes the icons under `folder`, where what is there differs.
pub(super) fn unpack(folder: &Path) -> std::io::Result<()> {
    let status = folder.join("hicolor/scalable/status");
    tidings_ground::paths::create_private(&status)?;
    for (name, drawing, _) in ICONS {
        let file = format!("{name}.svg");
        write_if_other(&folder.join(&file), drawing)?;
        write_if_other(&status.join(&file), drawing)?;
    }
    write_if_other(&folder.join(POPUP_ICON), APP)
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
    use crate::tray::view::{Shape, icon_name};

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

    /// As a host does that has the item's path alone (GNOME's extension): `hicolor` only by its index, and for a name
    /// that is not there the longest beginning of it.
    fn found_by_the_path_alone(folder: &Path, name: &str) -> Option<Vec<u8>> {
        let mut name = name;
        loop {
            let mut places = vec![folder.to_owned()];
            if folder.join("hicolor/index.theme").exists() {
                places.push(folder.join("hicolor/scalable/status"));
            }
            let found = places.iter().find_map(|place| std::fs::read(place.join(format!("{name}.svg"))).ok());
            if found.is_some() {
                return found;
            }
            (name, _) = name.rsplit_once('-')?;
        }
    }

    /// As Plasma does: the desktop's themes first, and in each the name and all that it begins with.
    #[test]
    fn a_host_that_has_the_apps_icon_in_its_theme_finds_each_states_own_icon() {
        let (theme, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(theme.path().join("tidings.svg"), APP).unwrap();
        unpack(ours.path()).unwrap();
        for (name, drawing, _) in ICONS {
            let places = [theme.path(), ours.path()];
            let found = places.into_iter().find_map(|place| found_by_the_path_alone(place, name));
            assert!(found.as_deref() == Some(*drawing), "{name} is drawn as something else");
        }
    }

    #[test]
    fn a_host_that_has_our_path_alone_finds_each_states_own_icon() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path()).unwrap();
        for shape in Shape::ALL {
            for unread in [false, true] {
                let name = icon_name(shape, unread);
                let (_, drawing, _) = ICONS.iter().find(|(icon, _, _)| *icon == name).expect(&name);
                let found = found_by_the_path_alone(folder.path(), &name);
                assert!(found.as_deref() == Some(*drawing), "{name} is drawn as something else");
            }
        }
    }
}
