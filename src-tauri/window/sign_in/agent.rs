//! What a sign-in asks of the agent, and tells it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings_api::client::{Client, ClientError};
use tidings_api::{ChannelReport, Cookie, Event, Reply, Request, SignInPage, StateName};
use tidings_words::{Language, Words};

/// How long a dial with the new session is waited for. Too low: the window closes before a slow server has refused; too high:
/// it stays in the way while the server is away.
const DIAL: Duration = Duration::from_secs(30);

/// What became of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The channel is connected, or about to be: its state tells the rest.
    Taken,
    /// The server refuses the session.
    Refused {
        /// Why, for people.
        why: String,
        /// The session is a good one, but its user may not have the channel.
        denied: bool,
    },
}

/// The way to the agent, whose work is done on a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    socket: PathBuf,
    channel: String,
    runtime: tokio::runtime::Handle,
}

impl Agent {
    /// For this channel.
    pub(crate) fn new(state: &Path, channel: &str) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        let socket = tidings_api::socket::path_in(state);
        Ok(Self { socket, channel: channel.to_owned(), runtime: handle })
    }

    /// Where and how one signs in, and the words for it.
    pub(crate) async fn page(&self) -> Result<(SignInPage, Words), ClientError> {
        let agent = self.clone();
        self.away(async move {
            let mut client = Client::connect(&agent.socket).await?;
            let status = client.ask_in_time(&Request::Status).await?;
            let request = Request::SignInPage { channel: agent.channel };
            match (status, client.ask_in_time(&request).await?) {
                (Reply::Status(status), Reply::SignInPage(page)) => {
                    Ok((page, Words::of(Language::of_tag(&status.language).unwrap_or_default())))
                }
                (other, _) => Err(ClientError::Malformed(format!("{other:?}"))),
            }
        })
        .await
    }

    /// Hands the cookies over, and waits for what the server says to them.
    pub(crate) async fn sign_in(&self, cookies: Vec<Cookie>) -> Result<Outcome, ClientError> {
        let agent = self.clone();
        self.away(async move {
            // From before it is told, so that no change is missed.
            let mut events = Client::connect(&agent.socket).await?;
            let Reply::Event(first) = events.ask_in_time(&Request::Subscribe { window: false }).await? else {
                return Err(ClientError::Malformed("no event stream".to_owned()));
            };
            let before = agent.channel_in(&first).map(|channel| (channel.state, channel.since));
            let stays = before.is_some_and(|(state, _)| !is_dialled_for_it(state));
            let mut client = Client::connect(&agent.socket).await?;
            client.ask_in_time(&Request::SignedIn { channel: agent.channel.clone(), cookies }).await?;
            if stays {
                return Ok(Outcome::Taken);
            }
            let outcome = async {
                loop {
                    let event = events.event().await?;
                    let Some(channel) = agent.channel_in(&event) else { continue };
                    if Some((channel.state, channel.since)) == before {
                        continue;
                    }
                    match channel.state {
                        StateName::Connecting => {}
                        StateName::NeedsUser => {
                            let why = channel.cause.clone().unwrap_or_default();
                            let request = Request::SignInPage { channel: agent.channel.clone() };
                            let page = client.ask_in_time(&request).await?;
                            let denied = matches!(page, Reply::SignInPage(page) if page.refused.is_some());
                            return Ok(Outcome::Refused { why, denied });
                        }
                        StateName::Connected
                        | StateName::Waiting
                        | StateName::Replaced
                        | StateName::Disconnected => {
                            return Ok(Outcome::Taken);
                        }
                    }
                }
            };
            tokio::time::timeout(DIAL, outcome).await.unwrap_or(Ok(Outcome::Taken))
        })
        .await
    }

    /// The channel's report, if the event has it.
    fn channel_in<'a>(&self, event: &'a Event) -> Option<&'a ChannelReport> {
        let channels = match event {
            Event::Snapshot(status) => &status.channels[..],
            Event::State(channel) => std::slice::from_ref(channel),
            Event::Message(_)
            | Event::Gone { .. }
            | Event::Read { .. }
            | Event::Pictures { .. }
            | Event::Raise { .. } => &[],
        };
        channels.iter().find(|channel| channel.id == self.channel)
    }

    async fn away<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ClientError>> + Send + 'static,
    ) -> Result<T, ClientError> {
        // It ends early only with the runtime, and that with the process.
        self.runtime.spawn(work).await.unwrap_or(Err(ClientError::Silent))
    }
}

/// Whether a channel in this state is dialled because somebody has signed in. One that was replaced stays so, and says that itself.
fn is_dialled_for_it(state: StateName) -> bool {
    match state {
        StateName::Connecting
        | StateName::Connected
        | StateName::Waiting
        | StateName::NeedsUser
        | StateName::Disconnected => true,
        StateName::Replaced => false,
    }
}
