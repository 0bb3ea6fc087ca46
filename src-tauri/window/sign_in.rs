//! The sign-in of a channel that hangs on a web app's session: the app's own page, in a view of its own.
//!
//! A process of its own (`tidings-window --sign-in CHANNEL`), without Tauri in it: there is nothing that a hostile page could
//! call, and nothing is left when it ends. The page is shown from its start until the user is in ([`judge`]); then the view goes, and
//! its cookies go to the agent, which dials by them. That is the proof: a server that refuses them has its page shown again, in a fresh
//! view, with the reason above it.

mod agent;
mod frame;
mod judge;
mod trust;
mod view;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use gtk::gio::ApplicationFlags;
use gtk::glib;
use gtk::prelude::*;
use tidings_api::client::ClientError;
use tidings_api::{Cookie, SignInPage};
use tidings_words::Words;
use url::Url;

use self::agent::{Agent, Outcome};
use self::frame::Frame;
use self::judge::{Cookies, Judge, Look, STALE, Stop, Turn};
use self::view::{Denied, Eyes, Failure, Seen, View};
use crate::complain::complain;

/// Between a change on the page and the look at it, so that a burst of changes is looked at once. Too low costs looks; too high
/// lets the user wait although he is in.
const SETTLE: Duration = Duration::from_millis(200);

/// A sign-in that is shown.
struct SignIn {
    agent: Agent,
    frame: Frame,
    page: SignInPage,
    words: Words,
    view: RefCell<Option<View>>,
    judge: RefCell<Judge>,
    /// Counts the views: what one tells that is gone is for nobody.
    turn: Cell<u64>,
    /// A look is about to be taken.
    looking: Cell<bool>,
    /// A page has just come.
    new: Cell<bool>,
}

/// Shows the sign-in of the channel of this id, or raises the one that is open. Returns when it is over.
pub(crate) fn run(state: &Path, channel: &str) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let agent = Agent::new(state, channel)?;
    // The class of our windows, by which desktops find the icon.
    glib::set_prgname(Some("tidings-window"));
    let app = gtk::Application::new(Some(&id(channel)), ApplicationFlags::default());
    app.connect_activate(move |app| match app.active_window() {
        Some(window) => window.present(),
        None => begin(app, &agent),
    });
    let ended = app.run_with_args::<&str>(&[]);
    Ok(if ended == glib::ExitCode::SUCCESS { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A name on the bus, by which there is one sign-in of a channel at a time.
fn id(channel: &str) -> String {
    use std::fmt::Write as _;
    let mut id = "io.github.tidings.SignIn.c".to_owned();
    for byte in channel.bytes() {
        // Only a memory that is full fails.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

fn begin(app: &gtk::Application, agent: &Agent) {
    let (app, agent) = (app.clone(), agent.clone());
    let hold = app.hold();
    glib::MainContext::default().spawn_local(async move {
        let _hold = hold;
        let (page, words) = match agent.page().await {
            Ok(asked) => asked,
            Err(error) => return complain(&format!("nobody can sign in: {error}")),
        };
        let frame = Frame::new(&app, words, &page.name);
        let judge = RefCell::new(Judge::new(Instant::now()));
        let sign_in = Rc::new(SignIn {
            agent,
            frame,
            words,
            view: RefCell::default(),
            judge,
            turn: Cell::new(0),
            looking: Cell::new(false),
            new: Cell::new(false),
            page,
        });
        let shared = sign_in.clone();
        sign_in.frame.again.connect_clicked(move |_| {
            shared.judge.borrow_mut().touched(Instant::now());
            shared.open("");
        });
        let shared = sign_in.clone();
        sign_in.frame.done.connect_clicked(move |_| shared.said_so());
        // With the window all of it goes.
        let shared = sign_in.clone();
        sign_in.frame.window.connect_destroy(move |_| shared.leave());
        let refused = sign_in.page.refused.clone().unwrap_or_default();
        sign_in.open(&refused);
    });
}

impl SignIn {
    /// Opens the start page in a fresh view, with this above it.
    fn open(self: &Rc<Self>, why: &str) {
        self.leave();
        let now = Instant::now();
        self.judge.borrow_mut().begin(now);
        let turn = self.turn.get();
        let shared = Rc::downgrade(self);
        let seen = move |seen| {
            if let Some(sign_in) = shared.upgrade().filter(|sign_in| sign_in.turn.get() == turn) {
                // Not within the engine's own call, which may be about what is to be taken away.
                glib::MainContext::default().spawn_local(async move {
                    if sign_in.turn.get() == turn {
                        sign_in.seen(seen);
                    }
                });
            }
        };
        let view = View::open(&self.page, self.words.language().tag(), seen);
        self.frame.show(view.widget());
        self.frame.address(None);
        self.frame.done.set_sensitive(true);
        self.frame.note(why);
        self.view.replace(Some(view));
        self.watch(turn, STALE);
    }

    /// Takes the view away with all that it knows.
    fn leave(&self) {
        self.turn.set(self.turn.get() + 1);
        self.looking.set(false);
        self.new.set(false);
        self.view.take();
    }

    /// Looks after this time whether the page has become too old.
    fn watch(self: &Rc<Self>, turn: u64, after: Duration) {
        let shared = Rc::downgrade(self);
        glib::timeout_add_local_once(after, move || {
            let Some(sign_in) = shared.upgrade().filter(|sign_in| sign_in.turn.get() == turn) else { return };
            let next = sign_in.judge.borrow_mut().idle(Instant::now());
            match next {
                Turn::Wait => sign_in.watch(turn, sign_in.judge.borrow().fresh_for(Instant::now())),
                Turn::Renew | Turn::Stop(_) => sign_in.act(next),
            }
        });
    }

    fn seen(self: &Rc<Self>, seen: Seen) {
        let mut judge = self.judge.borrow_mut();
        let turn = match seen {
            Seen::Page => {
                self.frame.address(self.shown().as_ref());
                judge.page()
            }
            Seen::Finished => {
                self.new.set(true);
                self.look_soon();
                judge.status(self.view.borrow().as_ref().map_or(0, View::status))
            }
            Seen::Posted { form } => {
                judge.posted(form);
                Turn::Wait
            }
            Seen::Stirred => {
                self.look_soon();
                Turn::Wait
            }
            Seen::Touched => {
                judge.touched(Instant::now());
                Turn::Wait
            }
            Seen::Channel => {
                self.led_to_channel();
                Turn::Wait
            }
            Seen::Denied(denied) => {
                self.denied(denied);
                Turn::Wait
            }
            Seen::Failed(failure) => {
                drop(judge);
                return self.failed(failure);
            }
        };
        drop(judge);
        self.act(turn);
    }

    fn denied(&self, denied: Denied) {
        self.frame.note(&match denied {
            Denied::Window => self.words.view_no_window(),
            Denied::Download => self.words.view_no_download(),
            Denied::Scheme => self.words.view_no_scheme(),
            Denied::Certificate => self.words.view_client_cert(),
        });
    }

    /// The site leads to the channel's own address: whoever has just signed in had asked for nothing else.
    fn led_to_channel(self: &Rc<Self>) {
        let (shared, turn) = (self.clone(), self.turn.get());
        glib::MainContext::default().spawn_local(async move {
            let Some(view) = shared.view.borrow().as_ref().map(View::eyes) else { return };
            let cookies = compared(&view.cookies().await);
            let is_in = shared.turn.get() == turn && shared.judge.borrow().led_to_channel(&cookies);
            if is_in {
                shared.take(view, turn).await;
            } else if shared.turn.get() == turn {
                shared.denied(Denied::Scheme);
            }
        });
    }

    /// Takes the cookies of a user who is in.
    async fn take(self: &Rc<Self>, view: Eyes, turn: u64) {
        let cookies = view.all_cookies().await;
        if self.turn.get() == turn {
            let page = self.shown().map(String::from).unwrap_or_default();
            self.hand_over(cookies, page);
        }
    }

    fn act(self: &Rc<Self>, turn: Turn) {
        let words = match turn {
            Turn::Wait => return,
            Turn::Renew => return self.open(&self.words.view_renewed()),
            Turn::Stop(Stop::Endless) => self.words.view_endless(),
            Turn::Stop(Stop::Alone) => self.words.view_alone(),
        };
        self.stop(&words);
    }

    fn failed(&self, failure: Failure) {
        let host = self.shown().or_else(|| Url::parse(&self.page.sign_in).ok());
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        let words = match failure {
            Failure::Unreachable => self.words.view_unreachable(&host),
            Failure::Certificate => self.words.view_untrusted(&host),
            Failure::Large => self.words.view_large(),
            Failure::Crashed => self.words.view_crashed(),
        };
        self.stop(&words);
    }

    /// Says this in place of the page.
    fn stop(&self, words: &str) {
        self.leave();
        self.frame.note("");
        self.frame.done.set_sensitive(false);
        self.frame.say(words);
    }

    /// The page that stands there.
    fn shown(&self) -> Option<Url> {
        self.view.borrow().as_ref().and_then(View::page)
    }

    fn look_soon(self: &Rc<Self>) {
        if self.looking.replace(true) {
            return;
        }
        let (shared, turn) = (Rc::downgrade(self), self.turn.get());
        glib::timeout_add_local_once(SETTLE, move || {
            let Some(sign_in) = shared.upgrade().filter(|sign_in| sign_in.turn.get() == turn) else { return };
            sign_in.looking.set(false);
            glib::MainContext::default().spawn_local(async move { sign_in.look(turn).await });
        });
    }

    async fn look(self: Rc<Self>, turn: u64) {
        let new = self.new.take();
        let Some(view) = self.view.borrow().as_ref().map(View::eyes) else { return };
        let Some((asks, cookies)) = view.look().await else { return };
        // It may have gone meanwhile.
        if self.turn.get() != turn {
            return;
        }
        let (page, finished, status) = {
            let view = self.view.borrow();
            let Some(view) = view.as_ref() else { return };
            (view.page(), !view.is_loading(), view.status())
        };
        if finished {
            self.frame.address(page.as_ref());
        }
        let page = page.map(String::from).unwrap_or_default();
        let look = Look { page, status, finished, new, asks, cookies: compared(&cookies) };
        if self.judge.borrow_mut().looked(&look) {
            let cookies = view.all_cookies().await;
            if self.turn.get() == turn {
                self.hand_over(cookies, look.page);
            }
        }
    }

    /// The user says that he is in.
    fn said_so(self: &Rc<Self>) {
        let (shared, turn) = (self.clone(), self.turn.get());
        glib::MainContext::default().spawn_local(async move {
            let Some(view) = shared.view.borrow().as_ref().map(View::eyes) else { return };
            let cookies = view.cookies().await;
            if shared.turn.get() != turn {
                return;
            }
            if cookies.is_empty() {
                return shared.frame.note(&shared.words.view_no_cookie());
            }
            shared.take(view, turn).await;
        });
    }

    /// The view goes before anybody dials: the page in it must not be in the way.
    fn hand_over(self: &Rc<Self>, cookies: Vec<Cookie>, page: String) {
        self.stop(&self.words.view_connecting(&self.page.name));
        self.frame.again.set_sensitive(false);
        let shared = self.clone();
        glib::MainContext::default().spawn_local(async move {
            let outcome = shared.agent.sign_in(cookies).await;
            shared.frame.again.set_sensitive(true);
            match outcome {
                Ok(Outcome::Taken) => shared.frame.window.close(),
                Ok(Outcome::Refused { why, denied }) => {
                    // Another user may end there, too.
                    if !denied {
                        shared.judge.borrow_mut().not_yet(&page);
                    }
                    shared.open(&why);
                }
                // The agent says why, in words for people.
                Err(ClientError::Refused(refusal)) => shared.frame.say(&refusal.message),
                Err(error) => {
                    complain(&format!("the sign-in could not be handed over: {error}"));
                    shared.frame.say(&shared.words.view_not_taken());
                }
            }
        });
    }
}

/// What is compared of cookies.
fn compared(cookies: &[Cookie]) -> Cookies {
    let key = |cookie: &Cookie| (cookie.name.clone(), cookie.domain.clone(), cookie.path.clone());
    cookies.iter().map(|cookie| (key(cookie), cookie.value.clone())).collect()
}
