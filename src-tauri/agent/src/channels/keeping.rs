//! Keeps a session alive (S9): while the link is up a page is asked for every so often, since a site ends a session that asks for none,
//! whatever goes over its WebSocket. What the answer says of the session is believed, never its status alone.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tidings_api::SessionReport;
use tidings_channel::{ChannelUrl, Config, Credential, DialParams, Fetch, Fetched, State, Status, fetch};
use tidings_settings::{Held, SessionJar};
use tidings_state::snapshot::timestamp;
use tokio::sync::watch;

/// A page is asked for after this part of the shortest life that was seen. Too low: a site is asked for nothing; too high: one
/// request that fails costs the session.
const PART: u32 = 3;

/// Longest answer that is read, bytes. Too low: a sign-in form is missed that stands far down; too high: a page costs memory.
const MOST: usize = 256 * 1024;

/// What keeps one channel's session.
pub(super) struct Keeper {
    pub(super) id: String,
    pub(super) every: Duration,
    pub(super) url: ChannelUrl,
    pub(super) session: SessionJar,
    pub(super) headers: Vec<(String, String)>,
    pub(super) config: Config,
    pub(super) status: watch::Receiver<Status>,
    pub(super) reported: Arc<watch::Sender<SessionReport>>,
}

/// What an answer says of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Alive,
    Dead,
    /// Nothing: the site is away, or says something else.
    Unclear,
}

/// How often a page is asked for.
pub(super) fn interval(every: Duration, life: Option<Duration>) -> Duration {
    life.map_or(every, |life| every.min(life / PART))
}

impl Keeper {
    /// For as long as the channel is there.
    pub(super) async fn keep(mut self) {
        while let Ok(status) = self.status.wait_for(is_up).await.map(|status| status.clone()) {
            self.report();
            self.while_up(&status).await;
            let generation = status.generation;
            if self.status.wait_for(|status| status.generation != generation || !is_up(status)).await.is_err()
            {
                return;
            }
        }
    }

    /// Until the link is another one, or the session is over.
    async fn while_up(&mut self, link: &Status) {
        loop {
            let wait = interval(self.every, self.status.borrow().session_life);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                ended = self.status.wait_for(|now| now.generation != link.generation || !is_up(now)) => {
                    drop(ended);
                    return;
                }
            }
            match self.ask().await {
                Answer::Alive => {
                    self.config.session_taken();
                    self.report();
                }
                Answer::Dead => {
                    tracing::info!(
                        channel = self.id,
                        "the site takes the session no more; the link is kept while it lasts"
                    );
                    return;
                }
                Answer::Unclear => {}
            }
        }
    }

    fn report(&self) {
        self.reported.send_modify(|report| report.alive_at = Some(timestamp(SystemTime::now())));
    }

    /// Nothing else is sent by this session meanwhile, and what the answer sets is stored before anything is.
    async fn ask(&self) -> Answer {
        let mut held = self.session.hold().await;
        if !is_up(&self.status.borrow()) {
            return Answer::Unclear;
        }
        let Some(fetched) = self.fetch(&held, &self.url).await else { return Answer::Unclear };
        let set_cookies = fetched.set_cookies();
        let mut answer = first_look(&fetched, held.renames(&self.url, &set_cookies));
        if answer == Answer::Unclear && is_doubtful(&fetched, held.renames(&self.url, &set_cookies)) {
            // The channel's own address tells: it is none but for who is signed in, and a plain request takes nobody's place.
            let mut trial = held.clone();
            trial.set(&self.url, &set_cookies);
            answer = match self.fetch(&trial, self.session.url()).await {
                Some(second) if second.asks_to_sign_in(true) => Answer::Dead,
                Some(second) if second.status < 500 => Answer::Alive,
                Some(_) | None => Answer::Unclear,
            };
        }
        if answer == Answer::Alive {
            self.session.take(&mut held, &self.url, &set_cookies).await;
        }
        answer
    }

    async fn fetch(&self, held: &Held, url: &ChannelUrl) -> Option<Fetched> {
        let credential =
            held.header(url).map(|value| Credential::Header { name: "Cookie".to_owned(), value });
        let params = DialParams { credential, headers: self.headers.clone(), ..DialParams::default() };
        match fetch(&self.config, &params, Fetch { most: MOST, ..Fetch::get(url.clone()) }).await {
            Ok(fetched) => Some(fetched),
            Err(cause) => {
                tracing::debug!(channel = self.id, %cause, "no answer to what keeps the session");
                None
            }
        }
    }
}

fn is_up(status: &Status) -> bool {
    matches!(status.state, State::Connected { .. })
}

/// What is clear by the first answer alone.
fn first_look(fetched: &Fetched, renamed: bool) -> Answer {
    match fetched.status {
        401 => Answer::Dead,
        200..=399 | 404 if !is_doubtful(fetched, renamed) => Answer::Alive,
        _ => Answer::Unclear,
    }
}

/// A page with a password's field may be any; and a cookie of the session with another value may be a new, empty session's or the
/// site's way to renew it with each answer.
fn is_doubtful(fetched: &Fetched, renamed: bool) -> bool {
    fetched.status < 500 && (renamed || fetched.asks_to_sign_in(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_well_within_the_life_of_a_session() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        assert_eq!(interval(minutes(10), None), minutes(10));
        assert_eq!(interval(minutes(10), Some(minutes(60))), minutes(10));
        assert_eq!(interval(minutes(10), Some(minutes(15))), minutes(5));
    }
}
