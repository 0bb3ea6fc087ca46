//! The pictures that are kept: a folder of small PNGs of ours, each readable by its owner alone. What a message shows is named
//! after the message and goes with it; icons are shared by messages, and the ones that were had first go first.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tidings_ground::file::{HALF, replace};
use tidings_ground::paths::create_private;
use tidings_inbox::{Message, RowId};
use url::Url;

/// Bytes of all pictures. Beyond that the oldest messages lose theirs. Too low: they are soon gone; too high: the disk fills.
const MOST_BYTES: u64 = 128 << 20;
/// Icons that are kept. Too few: they are fetched again and again; too many: nobody has so many programs.
const MOST_ICONS: usize = 200;
/// Digits of a message's or an application's number: they are numbers of 64 bits.
const DIGITS: usize = 20;
/// Ends of names of files that are pictures, where their server says nothing of their type.
const ENDS: [&str; 5] = [".gif", ".jpeg", ".jpg", ".png", ".webp"];

/// Where the pictures are. Each has a [`Name`].
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
    most_bytes: u64,
}

/// A picture's name: letters, digits and dashes. It leads nowhere but into the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Name {
    /// Reads one that was handed out.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let hashed = |part: &str| {
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            part.len() == 16 && part.bytes().all(hex)
        };
        let parts: Vec<&str> = text.split('-').collect();
        let ours = match parts.as_slice() {
            ["icon", channel, of] => {
                hashed(channel) && (hashed(of) || of.strip_prefix("app").is_some_and(is_number))
            }
            [row, of] => is_number(row) && hashed(of),
            _ => false,
        };
        ours.then(|| Self(text.to_owned()))
    }

    /// What this message shows. Its row alone would not do: a new inbox begins to count anew.
    #[must_use]
    pub fn of_message(message: &Message) -> Self {
        let of = (&message.channel, message.received_at.as_millisecond(), &message.title);
        Self(format!("{}-{:016x}", message.row, hash(&of)))
    }

    /// What this message is of.
    #[must_use]
    pub fn of_icon(message: &Message) -> Option<Self> {
        let channel = hash(&message.channel);
        if let Some(address) = names_icon(message) {
            return Some(Self(format!("icon-{channel:016x}-{:016x}", hash(&address))));
        }
        let app = message.app.as_deref()?;
        is_number(app).then(|| Self(format!("icon-{channel:016x}-app{app}")))
    }

    /// The message that it is of, unless it is an icon.
    fn row(&self) -> Option<RowId> {
        self.0.split('-').next()?.parse().ok().map(RowId)
    }

    fn file(&self) -> String {
        format!("{}.png", self.0)
    }

    fn of_file(file: &OsStr) -> Option<Self> {
        Self::read(file.to_str()?.strip_suffix(".png")?)
    }
}

fn is_number(text: &str) -> bool {
    (1..=DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The same for the same, as long as the standard library hashes as it does: of another version an earlier one's pictures are
/// not found, and go with their messages. A collision shows one picture for another of the same message or channel.
fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The addresses of pictures that a message names to be shown with it, the one that it means first.
pub fn names_pictures(message: &Message) -> impl Iterator<Item = &str> {
    let files = message.attachments.iter().filter(|file| match &file.kind {
        Some(kind) => kind.trim_start().to_ascii_lowercase().starts_with("image/"),
        None => ENDS.iter().any(|end| file.name.to_ascii_lowercase().ends_with(end)),
    });
    message.image.as_deref().into_iter().chain(files.map(|file| file.url.as_str()))
}

/// The address of the icon that a message names. A mere name, of an icon that the desktop has, is none.
#[must_use]
pub fn names_icon(message: &Message) -> Option<&str> {
    message.icon.as_deref().filter(|icon| icon.contains('/'))
}

/// What is on the shelf, by the length of its files.
#[derive(Debug, Default)]
pub struct Kept {
    pictures: BTreeMap<(RowId, Name), u64>,
    /// Since when.
    icons: BTreeMap<Name, SystemTime>,
}

impl Kept {
    /// The messages that have one.
    pub fn rows(&self) -> impl Iterator<Item = RowId> + '_ {
        let rows: BTreeSet<RowId> = self.pictures.keys().map(|(row, _)| *row).collect();
        rows.into_iter()
    }
}

impl Shelf {
    /// In this folder, which need not be there yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, most_bytes: MOST_BYTES }
    }

    /// Of a message, where it is there.
    #[must_use]
    pub fn picture_of(&self, message: &Message) -> Option<Name> {
        names_pictures(message).next()?;
        Some(Name::of_message(message)).filter(|name| self.has(name))
    }

    /// The icon of a message, where it is there.
    #[must_use]
    pub fn icon_of(&self, message: &Message) -> Option<Name> {
        Name::of_icon(message).filter(|name| self.has(name))
    }

    /// Where it is, as programs are told that read it from there.
    #[must_use]
    pub fn address(&self, name: &Name) -> Option<Url> {
        Url::from_file_path(self.path(name)).ok()
    }

    /// Whether it is there.
    #[must_use]
    pub fn has(&self, name: &Name) -> bool {
        self.path(name).is_file()
    }

    /// How long it has been there.
    #[must_use]
    pub fn age(&self, name: &Name) -> Option<Duration> {
        let since = fs::metadata(self.path(name)).ok()?.modified().ok()?;
        SystemTime::now().duration_since(since).ok()
    }

    /// The picture itself.
    ///
    /// # Errors
    /// As the system says.
    pub fn get(&self, name: &Name) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.folder.join(name.file())
    }

    /// What is there. Files that are none of ours are left alone; what was left half written goes.
    #[must_use]
    pub fn look(&self) -> Kept {
        let mut kept = Kept::default();
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension() == Some(OsStr::new(HALF))
                && path.file_stem().is_some_and(|whole| Name::of_file(whole).is_some())
            {
                let _ = fs::remove_file(path);
            }
            let (Some(name), Ok(facts)) = (Name::of_file(&file.file_name()), file.metadata()) else {
                continue;
            };
            match name.row() {
                Some(row) => {
                    kept.pictures.insert((row, name), facts.len());
                }
                None => {
                    kept.icons.insert(name, facts.modified().unwrap_or(SystemTime::UNIX_EPOCH));
                }
            }
        }
        kept
    }

    /// Puts it there, whole or not at all, and makes room for it.
    ///
    /// # Errors
    /// As the system says.
    pub fn put(&self, kept: &mut Kept, name: &Name, png: &[u8]) -> io::Result<()> {
        create_private(&self.folder)?;
        replace(&self.path(name), png)?;
        match name.row() {
            Some(row) => {
                kept.pictures.insert((row, name.clone()), png.len() as u64);
            }
            None => {
                kept.icons.insert(name.clone(), SystemTime::now());
            }
        }
        while kept.pictures.values().sum::<u64>() > self.most_bytes
            && let Some(((_, oldest), _)) = kept.pictures.pop_first()
        {
            self.remove(&oldest);
        }
        while kept.icons.len() > MOST_ICONS
            && let Some(oldest) =
                kept.icons.iter().min_by_key(|(_, since)| **since).map(|(name, _)| name.clone())
        {
            kept.icons.remove(&oldest);
            self.remove(&oldest);
        }
        Ok(())
    }

    /// These messages are gone, and so is what they showed.
    pub fn gone(&self, kept: &mut Kept, rows: &[RowId]) {
        for row in rows {
            let named = |row: i64| (RowId(row), Name(String::new()));
            let of_row = named(row.0)..named(row.0.saturating_add(1));
            for ((_, name), _) in kept.pictures.extract_if(of_row, |_, _| true).collect::<Vec<_>>() {
                self.remove(&name);
            }
        }
    }

    /// Keeps icons of these channels alone.
    pub fn keep_channels<'a>(&self, kept: &mut Kept, channels: impl Iterator<Item = &'a str>) {
        let known: BTreeSet<String> =
            channels.map(|id| format!("icon-{:016x}-", hash(&id.to_owned()))).collect();
        let foreign = |name: &Name, _: &mut SystemTime| !known.iter().any(|start| name.0.starts_with(start));
        for (name, _) in kept.icons.extract_if(.., foreign).collect::<Vec<_>>() {
            self.remove(&name);
        }
    }

    fn remove(&self, name: &Name) {
        if let Err(error) = fs::remove_file(self.path(name)) {
            tracing::debug!(%error, "a picture is gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use tidings_inbox::{ChannelProfile, Payload, Raw, Reads};

    use super::*;

    /// A message of this text, on a channel that is read like this.
    fn message(reads: Reads, text: &str, row: i64) -> Message {
        let profile = ChannelProfile { reads, ..ChannelProfile::new("orders", "Orders") };
        let payload = Payload::Text(text.to_owned());
        let decoded =
            tidings_inbox::decode(&profile, payload, "2026-11-30T12:00:00Z".parse().expect("a time"));
        let message = decoded.messages.into_iter().next().expect("a message");
        assert!(matches!(message.raw, Raw::Text(_)));
        Message { row: RowId(row), ..message }
    }

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(folder.path().join("pictures"));
        (folder, shelf)
    }

    #[test]
    fn what_a_message_names_is_known_by_its_kind_of_server() {
        let named = |reads, text: &str| {
            let message = message(reads, text, 1);
            let pictures = names_pictures(&message).map(str::to_owned).collect::<Vec<_>>();
            (pictures, names_icon(&message).map(str::to_owned), Name::of_icon(&message).is_some())
        };
        let none = (Vec::new(), None, false);
        assert_eq!(named(Reads::Usual, r#"{"title": "t", "icon": "mail-unread"}"#), none);
        let ntfy = r#"{"event": "message", "id": "a", "topic": "t", "message": "m", "icon": "https://a.example/i.png",
            "attachment": {"name": "door.jpg", "type": "image/jpeg", "url": "https://a.example/file/x.jpg"}}"#;
        let told = named(Reads::Ntfy, ntfy);
        assert_eq!(told.0, ["https://a.example/file/x.jpg"]);
        assert_eq!(told.1.as_deref(), Some("https://a.example/i.png"));
        for (attachment, is_picture) in [
            (r#"{"name": "a.PNG", "url": "https://a.example/f"}"#, true),
            (r#"{"name": "a.pdf", "type": "Image/webp", "url": "https://a.example/f"}"#, true),
            (r#"{"name": "a.png", "type": "text/html", "url": "https://a.example/f"}"#, false),
            (r#"{"name": "a.pdf", "url": "https://a.example/f"}"#, false),
        ] {
            let text = format!(
                r#"{{"event": "message", "id": "a", "topic": "t", "message": "m", "attachment": {attachment}}}"#
            );
            assert_eq!(named(Reads::Ntfy, &text).0.len(), usize::from(is_picture), "{attachment}");
        }
        let gotify = r#"{"id": 1, "appid": 7, "message": "m",
            "extras": {"client::notification": {"bigImageUrl": "https://a.example/big.png"}}}"#;
        assert_eq!(named(Reads::Gotify, gotify), (vec!["https://a.example/big.png".to_owned()], None, true));
    }

    #[test]
    fn what_is_kept_is_its_owners_alone_and_goes_with_its_message() {
        let (_folder, shelf) = shelf();
        let mut kept = shelf.look();
        let text = r#"{"title": "t", "image": "https://a.example/i.png"}"#;
        let [one, other] = [1, 11].map(|row| message(Reads::Usual, text, row));
        for message in [&one, &other] {
            shelf.put(&mut kept, &Name::of_message(message), b"png").expect("kept");
        }
        let name = shelf.picture_of(&one).expect("there");
        let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(shelf.path(&name)), 0o600);
        assert_eq!(mode(shelf.folder.clone()), 0o700);
        assert_eq!(shelf.get(&name).expect("read"), b"png");
        // What the next run finds.
        fs::write(shelf.folder.join(format!("{name}.png.half")), "").expect("written");
        let mut kept = shelf.look();
        assert_eq!(kept.rows().collect::<Vec<_>>(), [RowId(1), RowId(11)]);
        shelf.gone(&mut kept, &[RowId(1)]);
        assert_eq!((shelf.picture_of(&one), shelf.picture_of(&other).is_some()), (None, true));
        assert_eq!(fs::read_dir(&shelf.folder).expect("there").count(), 1);
        // The same row of another inbox.
        let later = Message { received_at: "2026-12-01T12:00:00Z".parse().expect("a time"), ..other };
        assert_eq!(shelf.picture_of(&later), None);
    }

    #[test]
    fn what_is_too_much_goes_oldest_first() {
        let (_folder, shelf) = shelf();
        let shelf = Shelf { most_bytes: 10, ..shelf };
        let mut kept = shelf.look();
        let half = [0; 5];
        let of = |row| Name::of_message(&message(Reads::Usual, r#"{"title": "t"}"#, row));
        for row in [7, 5, 6] {
            shelf.put(&mut kept, &of(row), &half).expect("kept");
        }
        assert_eq!([5, 6, 7].map(|row| shelf.has(&of(row))), [false, true, true]);
        let icon = |number: usize| {
            let text = format!(r#"{{"id": 1, "appid": {number}, "message": "m"}}"#);
            Name::of_icon(&message(Reads::Gotify, &text, 1)).expect("an icon")
        };
        for number in 0..=MOST_ICONS {
            shelf.put(&mut kept, &icon(number), b"png").expect("kept");
        }
        assert_eq!((shelf.has(&icon(0)), shelf.has(&icon(1))), (false, true));
        shelf.keep_channels(&mut kept, ["orders"].into_iter());
        assert!(shelf.has(&icon(1)));
        shelf.keep_channels(&mut kept, ["others"].into_iter());
        assert!(!shelf.has(&icon(1)));
        assert!(shelf.has(&of(7)), "a message's own stays");
    }

    #[test]
    fn what_somebody_else_put_there_stays() {
        let (_folder, shelf) = shelf();
        let mut kept = shelf.look();
        shelf
            .put(&mut kept, &Name::of_message(&message(Reads::Usual, r#"{"title": "t"}"#, 1)), b"png")
            .expect("kept");
        let others = ["holiday.png", "icon.png", "icon-7.png", "7.png", "1-cat.png", "-1.png", "notes.half"];
        for name in others {
            fs::write(shelf.folder.join(name), "a picture").expect("written");
        }
        let mut kept = shelf.look();
        assert_eq!(kept.rows().collect::<Vec<_>>(), [RowId(1)]);
        shelf.keep_channels(&mut kept, std::iter::empty());
        shelf.gone(&mut kept, &[1, 7, -1].map(RowId));
        let left = fs::read_dir(&shelf.folder).expect("there").count();
        assert_eq!(left, others.len(), "all but ours");
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        let app = message(Reads::Gotify, r#"{"id": 1, "appid": 7, "message": "m"}"#, 6);
        let message = Arc::new(message(Reads::Usual, r#"{"title": "t", "icon": "/i.png"}"#, 5));
        let icons = [&message, &app].map(|of| Name::of_icon(of).expect("an icon"));
        for name in icons.into_iter().chain([Name::of_message(&message)]) {
            assert_eq!(Name::read(&name.to_string()), Some(name));
        }
        for odd in [
            "",
            "..",
            "../inbox",
            "a/b",
            "A",
            "a.png",
            "a\0",
            &"a".repeat(65),
            "icon",
            "7",
            "7-0",
            "icon-0-app1",
        ] {
            assert_eq!(Name::read(odd), None, "{odd:?}");
        }
    }
}
