//! The window around a sign-in's page: the address line, which is ours and out of the page's reach, and what Tidings says.

use gtk::pango::{AttrInt, AttrList, EllipsizeMode, Weight};
use gtk::prelude::*;
use tidings_words::Words;
use url::Url;

/// Size of the window, in logical pixels: most sign-in pages are made for a narrow column.
const SIZE: (i32, i32) = (760, 680);
const SPACE: u32 = 8;

/// The window.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) window: gtk::ApplicationWindow,
    /// Opens the start page again.
    pub(crate) again: gtk::Button,
    /// The user says that he is in.
    pub(crate) done: gtk::Button,
    words: Words,
    name: String,
    origin: gtk::Label,
    path: gtk::Label,
    plain: gtk::Label,
    note: gtk::Label,
    place: gtk::Box,
}

impl Frame {
    /// Shows an empty one for the channel of this name.
    pub(crate) fn new(app: &gtk::Application, words: Words, name: &str) -> Self {
        let window = gtk::ApplicationWindow::new(app);
        window.set_default_size(SIZE.0, SIZE.1);
        window.set_icon_name(Some("tidings"));

        let origin = gtk::Label::new(None);
        let bold = AttrList::new();
        bold.insert(AttrInt::new_weight(Weight::Bold));
        origin.set_attributes(Some(&bold));
        // The end of a host's name says whose it is.
        origin.set_ellipsize(EllipsizeMode::Start);
        let path = gtk::Label::new(None);
        path.set_ellipsize(EllipsizeMode::End);
        path.set_xalign(0.0);
        let plain = gtk::Label::new(Some(&words.view_plain()));
        plain.set_no_show_all(true);
        let again = gtk::Button::with_label(&words.view_again());
        let done = gtk::Button::with_label(&words.view_done());

        let line = gtk::Box::new(gtk::Orientation::Horizontal, 0);
        line.set_border_width(SPACE);
        line.pack_start(&plain, false, false, SPACE / 2);
        line.pack_start(&origin, false, true, 0);
        line.pack_start(&path, true, true, 0);
        line.pack_end(&done, false, false, 0);
        line.pack_end(&again, false, false, SPACE);

        let note = gtk::Label::new(None);
        note.set_line_wrap(true);
        note.set_xalign(0.0);
        note.set_margin(i32::try_from(SPACE).unwrap_or_default());
        note.set_margin_top(0);
        note.set_no_show_all(true);

        let place = gtk::Box::new(gtk::Orientation::Vertical, 0);
        let all = gtk::Box::new(gtk::Orientation::Vertical, 0);
        all.pack_start(&line, false, false, 0);
        all.pack_start(&note, false, false, 0);
        all.pack_start(&gtk::Separator::new(gtk::Orientation::Horizontal), false, false, 0);
        all.pack_start(&place, true, true, 0);
        window.add(&all);
        let frame =
            Self { window, again, done, words, name: name.to_owned(), origin, path, plain, note, place };
        frame.address(None);
        frame.window.show_all();
        frame.window.present();
        frame
    }

    /// The page that stands there; an empty one is none.
    pub(crate) fn address(&self, page: Option<&Url>) {
        let page = page.filter(|page| page.scheme() != "about");
        let origin = page.map(|page| page.origin().ascii_serialization()).unwrap_or_default();
        self.origin.set_text(&origin);
        self.path.set_text(page.map(Url::path).unwrap_or_default());
        self.plain.set_visible(page.is_some_and(|page| !encrypted(page)));
        let title = match page.and_then(Url::host_str) {
            Some(host) => self.words.view_title_at(&self.name, &host),
            None => self.words.view_title(&self.name),
        };
        self.window.set_title(&title);
    }

    /// What Tidings says beside the page; nothing where it is empty.
    pub(crate) fn note(&self, text: &str) {
        self.note.set_text(text);
        self.note.set_visible(!text.is_empty());
    }

    /// Shows this in place of what was there.
    pub(crate) fn show(&self, widget: &impl IsA<gtk::Widget>) {
        for shown in self.place.children() {
            self.place.remove(&shown);
        }
        self.place.pack_start(widget, true, true, 0);
        self.place.show_all();
        widget.grab_focus();
    }

    /// Words in place of a page.
    pub(crate) fn say(&self, text: &str) {
        let label = gtk::Label::new(Some(text));
        label.set_line_wrap(true);
        label.set_justify(gtk::Justification::Center);
        self.show(&label);
        self.address(None);
    }
}

/// Whether nobody on the way reads what is typed there.
fn encrypted(page: &Url) -> bool {
    let here = match page.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    here || page.scheme() == "https"
}
