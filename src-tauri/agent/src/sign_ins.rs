//! Sign-ins at OAuth providers that people are in the middle of, in a browser of this machine or another. One for each channel: a second one
//! takes the first one's place.

use std::collections::BTreeMap;

use tidings_api::{ErrorCode, Refusal, TypeCode};
use tidings_desktop::browser;
use tidings_desktop::session::Session;
use tidings_oauth::{Asked, Failure, Tokens, code, device};
use tidings_settings::SignIn;
use tidings_state::link::LinkError;
use tidings_state::notice::Notice;
use tidings_words::Words;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

/// See the module. They end with this.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    running: JoinSet<Ended>,
    by_channel: BTreeMap<String, Begun>,
}

/// The newest of a channel.
#[derive(Debug)]
struct Begun {
    task: AbortHandle,
    outcome: watch::Sender<Option<Outcome>>,
}

/// What came of one: signed in, or what to tell.
type Outcome = Result<(), Notice>;

/// One that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The channel's id.
    pub(crate) channel: String,
    /// What came of it; `None`: nothing, and who asked knows.
    pub(crate) outcome: Option<Outcome>,
}

impl SignIns {
    /// Opens the provider's page in the person's browser; [`SignIns::ended`] tells what came of it.
    pub(crate) fn begin(
        &mut self,
        channel: &str,
        sign_in: SignIn,
        activation_token: Option<String>,
        session: Session,
        words: Words,
    ) {
        self.run(channel, async move {
            Some(signed_in(&sign_in, activation_token.as_deref(), &session, words).await)
        });
    }

    /// Asks the provider for a code, which the person types in a browser anywhere.
    pub(crate) fn begin_by_code(
        &mut self,
        channel: &str,
        sign_in: SignIn,
        words: Words,
        answer: oneshot::Sender<Result<TypeCode, Refusal>>,
    ) {
        self.run(channel, async move {
            let asked = match device(sign_in.provider(), sign_in.way()).await {
                Ok(asked) => asked,
                Err(failure) => {
                    let told = Notice::SignIn(failure).told(words);
                    let _ = answer.send(Err(Refusal::new(ErrorCode::NotSignedIn, told)));
                    return None;
                }
            };
            let _ = answer.send(Ok(type_code(&asked)));
            Some(match asked.answered().await {
                Ok(tokens) => {
                    keep(&sign_in, tokens).await;
                    Ok(())
                }
                Err(failure) => Err(Notice::SignIn(failure)),
            })
        });
    }

    fn run(&mut self, channel: &str, sign_in: impl Future<Output = Option<Outcome>> + Send + 'static) {
        let id = channel.to_owned();
        let task = self.running.spawn(async move { Ended { channel: id, outcome: sign_in.await } });
        let begun = Begun { task, outcome: watch::channel(None).0 };
        if let Some(before) = self.by_channel.insert(channel.to_owned(), begun) {
            before.task.abort();
        }
    }

    /// Answers once the channel's newest is over, at once where it is already; the answer is the channel's name.
    pub(crate) fn answer(
        &self,
        channel: &str,
        name: String,
        words: Words,
        answer: oneshot::Sender<Result<String, Refusal>>,
    ) {
        let outcome = self.by_channel.get(channel).map(|begun| begun.outcome.subscribe());
        tokio::spawn(async move {
            let outcome = match outcome {
                Some(mut outcome) => outcome.wait_for(Option::is_some).await.ok().and_then(|it| it.clone()),
                None => None,
            };
            // None was begun, or another one took its place.
            let outcome = outcome.unwrap_or(Err(Notice::SignIn(Failure::TooLate)));
            let told = |notice: Notice| Refusal::new(ErrorCode::NotSignedIn, notice.told(words));
            // Who asked may be gone.
            let _ = answer.send(outcome.map(|()| name).map_err(told));
        });
    }

    /// Has those know who wait for it; whether somebody does.
    pub(crate) fn tell(&self, channel: &str, outcome: &Outcome) -> bool {
        let Some(Begun { outcome: told, .. }) = self.by_channel.get(channel) else { return false };
        told.send_replace(Some(outcome.clone()));
        told.receiver_count() > 0
    }

    /// The next one that ended; for ever where there is none.
    pub(crate) async fn ended(&mut self) -> Ended {
        loop {
            match self.running.join_next().await {
                Some(Ok(ended)) => return ended,
                // Another one took its place, or it panicked: that is told as a crash.
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }
}

async fn signed_in(
    sign_in: &SignIn,
    activation_token: Option<&str>,
    session: &Session,
    words: Words,
) -> Outcome {
    let asked = code(sign_in.provider(), sign_in.way()).await.map_err(Notice::SignIn)?;
    if !browser::opened(&asked.page, activation_token, session).await {
        let host = Some(sign_in.provider().host().to_owned());
        return Err(Notice::Link(LinkError { host }));
    }
    let tokens = asked.answered(words).await.map_err(Notice::SignIn)?;
    keep(sign_in, tokens).await;
    Ok(())
}

async fn keep(sign_in: &SignIn, tokens: Tokens) {
    if let (_, Some(error)) = sign_in.begin(tokens).await {
        tracing::warn!(%error, "the sign-in is in memory alone");
    }
}

fn type_code(asked: &Asked<'_>) -> TypeCode {
    TypeCode {
        page: asked.page.to_string(),
        page_with_code: asked.page_with_code.as_ref().map(ToString::to_string),
        code: asked.code.clone(),
        valid_s: asked.life.as_secs(),
    }
}
