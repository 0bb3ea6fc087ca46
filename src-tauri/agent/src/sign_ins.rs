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
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};

/// See the module. They end with this.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    running: JoinSet<Ended>,
    by_channel: BTreeMap<String, AbortHandle>,
    /// Who wants to be told of which channel's, with that one's name.
    waiting: Vec<(String, String, Answer)>,
}

/// Where the end of a sign-in is told.
type Answer = oneshot::Sender<Result<String, Refusal>>;

/// What came of one.
pub(crate) struct Ended {
    /// The channel's id.
    pub(crate) channel: String,
    /// What to tell where the person is not signed in.
    pub(crate) signed_in: Result<(), Notice>,
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
        self.run(
            channel,
            async move { signed_in(&sign_in, activation_token.as_deref(), &session, words).await },
        );
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
                    // Whoever asked is told, and nobody else.
                    let told = Notice::SignIn(failure).told(words);
                    let _ = answer.send(Err(Refusal::new(ErrorCode::NotSignedIn, told)));
                    return Ok(());
                }
            };
            let _ = answer.send(Ok(type_code(&asked)));
            let tokens = asked.answered().await.map_err(Notice::SignIn)?;
            keep(&sign_in, tokens).await;
            Ok(())
        });
    }

    fn run(&mut self, channel: &str, sign_in: impl Future<Output = Result<(), Notice>> + Send + 'static) {
        let id = channel.to_owned();
        let task = self.running.spawn(async move { Ended { channel: id, signed_in: sign_in.await } });
        if let Some(before) = self.by_channel.insert(channel.to_owned(), task) {
            before.abort();
        }
    }

    /// Tells of the end of the channel's.
    pub(crate) fn tell(&mut self, channel: String, name: String, answer: Answer) {
        self.waiting.retain(|(.., answer)| !answer.is_closed());
        self.waiting.push((channel, name, answer));
    }

    /// It has ended; whether somebody was told.
    pub(crate) fn told(&mut self, channel: &str, refused: Option<&Refusal>) -> bool {
        let (of_it, others) =
            std::mem::take(&mut self.waiting).into_iter().partition::<Vec<_>, _>(|(id, ..)| id == channel);
        self.waiting = others;
        let mut told = false;
        for (_, name, answer) in of_it {
            told |= answer.send(refused.cloned().map_or(Ok(name), Err)).is_ok();
        }
        told
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
) -> Result<(), Notice> {
    let failed = |failure: Failure| Notice::SignIn(failure);
    let asked = code(sign_in.provider(), sign_in.way()).await.map_err(failed)?;
    if !browser::opened(&asked.page, activation_token, session).await {
        let host = Some(sign_in.provider().host().to_owned());
        return Err(Notice::Link(LinkError { host }));
    }
    let tokens = asked.answered(words).await.map_err(failed)?;
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
