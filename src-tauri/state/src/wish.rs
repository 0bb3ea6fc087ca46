//! What the user wants, wherever the wish was made: tray, popup, socket.

use jiff::Timestamp;
use tidings_api::{Action, Cookie, Examine, Outgoing, Refusal, SessionKept, SignInPage, Step, TypeCode};
use tidings_inbox::{HttpRequest, RowId};
use tidings_settings::ChannelSettings;
use tokio::sync::{mpsc, oneshot};

use crate::link::Link;
use crate::loan::Loan;
use crate::session::Environment;

/// Wishes that may wait to be taken up. They come from people's clicks; more than this is a jammed button.
const QUEUE: usize = 64;

/// One wish.
pub enum Wish {
    /// Do something with one channel, or with all for which it makes sense.
    Act {
        /// What.
        action: Action,
        /// Id or name; `None`: all.
        channel: Option<String>,
        /// The names of those concerned, or why not.
        answer: Option<oneshot::Sender<Result<Vec<String>, Refusal>>>,
    },
    /// Somebody has put another secret of a channel into the keyring: a link by the old one is dialled anew.
    CredentialChanged {
        /// Id.
        channel: String,
    },
    /// A channel's secret in the keyring, which waited for it, can be read at last, or is another than the one that was refused.
    SecretReadable {
        /// Id.
        channel: String,
    },
    /// Show the page on which a channel's user signs in: in a view of the window, or a provider's in the browser.
    SignIn {
        /// Id or name.
        channel: String,
        /// The desktop's permission to take the focus.
        activation_token: Option<String>,
        /// The channel's name, or why not.
        answer: Option<oneshot::Sender<Result<String, Refusal>>>,
    },
    /// Have a channel's user sign in at its provider by a browser anywhere.
    SignInByCode {
        /// Id or name.
        channel: String,
        /// What the user does there, or why not.
        answer: oneshot::Sender<Result<TypeCode, Refusal>>,
    },
    /// Tell when the user has done so.
    SignInEnded {
        /// Id or name.
        channel: String,
        /// The channel's name, or why nobody is signed in.
        answer: oneshot::Sender<Result<String, Refusal>>,
    },
    /// Tell where the user signs in to a web app.
    SignInPage {
        /// Id.
        channel: String,
        /// Where and how, or why not.
        answer: oneshot::Sender<Result<SignInPage, Refusal>>,
    },
    /// The user signed in: take these cookies, of which those count that the channel's address gets.
    SignedIn {
        /// Id.
        channel: String,
        /// All that the page's view has.
        cookies: Vec<Cookie>,
        /// Who keeps them, or why not.
        answer: oneshot::Sender<Result<SessionKept, Refusal>>,
    },
    /// Those are kept: dial by them, also where the channel was off.
    TakeUp {
        /// Id.
        channel: String,
    },
    /// End a channel's sign-in.
    SignOut {
        /// Id or name.
        channel: String,
        /// The channel's name, or why not.
        answer: oneshot::Sender<Result<String, Refusal>>,
    },
    /// A channel's secret is renewed before it ends: so is its link.
    Renew {
        /// Id.
        channel: String,
    },
    /// Let go of a channel, and take it back after the loan. The answer is dropped where it can't be lent.
    Lend {
        /// Id.
        channel: String,
        /// The loan.
        answer: oneshot::Sender<Loan>,
    },
    /// Examine a channel that is held.
    Examine {
        /// Which, and how far.
        what: Examine,
        /// The steps as they end, or why not.
        answer: oneshot::Sender<Result<mpsc::Receiver<Step>, Refusal>>,
    },
    /// Try a channel that need not be held.
    Try {
        /// As its settings would be.
        channel: Box<ChannelSettings>,
        /// In place of the one that its settings find.
        secret: Option<String>,
        /// The steps as they end, or why not.
        answer: oneshot::Sender<Result<mpsc::Receiver<Step>, Refusal>>,
    },
    /// Show the window.
    OpenWindow {
        /// The desktop's permission to take the focus.
        activation_token: Option<String>,
        /// At what; `None`: as it was left.
        at: Option<Place>,
    },
    /// Open a message's link in the user's browser, and count the message as read if that can be done.
    OpenLink {
        /// Which.
        link: Link,
        /// The desktop's permission to take the focus.
        activation_token: Option<String>,
    },
    /// Send what a button of a message sends, over the channel's own way.
    Send {
        /// The channel's id.
        channel: String,
        /// What.
        request: HttpRequest,
        /// Once it was taken, or why it was not.
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
    /// Send a message to a channel's server.
    Publish {
        /// What, and to which.
        message: Outgoing,
        /// The channel's name once the server has it, or why not.
        answer: oneshot::Sender<Result<String, Refusal>>,
    },
    /// Hold popups back until then; `None`: show them again.
    Pause {
        /// The end.
        until: Option<Timestamp>,
    },
    /// Be in this desktop session from now on, as far as there is none yet.
    Join(Environment),
    /// The desktop session is over.
    SessionEnded,
    /// End the agent.
    Quit,
}

/// A place in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This message.
    Message(RowId),
    /// The page that adds a channel, with this address.
    Adding(String),
}

/// How Tidings is started.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// At login: nothing is shown.
    pub background: bool,
    /// With the window open.
    pub open: bool,
    /// With the window open at the page that adds a channel, with this address.
    pub add: Option<String>,
}

/// Where wishes are made.
#[derive(Debug, Clone)]
pub struct Wishes(mpsc::Sender<Wish>);

impl Wishes {
    /// One to make them, and the main loop's end.
    pub fn new() -> (Self, mpsc::Receiver<Wish>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), receiver)
    }

    /// Never waits.
    pub fn make(&self, wish: Wish) {
        if let Err(error) = self.0.try_send(wish) {
            tracing::warn!(%error, "a wish was dropped: the agent is busy or ending");
        }
    }
}
