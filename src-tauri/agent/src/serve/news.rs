//! What whoever looks on is told of: a channel's new state, messages that come, go and are read, pictures.

use tidings_api::{ChannelReport, Event, StatusReport};
use tidings_inbox::RowId;
use tokio::sync::{broadcast, mpsc};

use super::Answers;

impl Answers {
    /// Feeds one subscriber until it or the agent is gone.
    pub(super) async fn stream(mut self, events: mpsc::Sender<Event>) {
        let mut messages = self.inbox.events();
        let mut pictures = self.pictures.came();
        let mut told = self.snapshot.borrow_and_update().report();
        if events.send(Event::Snapshot(told.clone())).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                () = events.closed() => return,
                changed = self.snapshot.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = self.snapshot.borrow_and_update().report();
                    for event in news(&told, &now) {
                        if events.send(event).await.is_err() {
                            return;
                        }
                    }
                    told = now;
                }
                came = pictures.recv() => {
                    let rows = match came {
                        Ok(rows) => rows,
                        // Some were missed, as below.
                        Err(broadcast::error::RecvError::Lagged(_)) => {
                            let snapshot = Event::Snapshot(self.snapshot.borrow().report());
                            if events.send(snapshot).await.is_err() {
                                return;
                            }
                            continue;
                        }
                        Err(broadcast::error::RecvError::Closed) => return,
                    };
                    for row in rows.iter() {
                        let Some(message) = self.inbox.message(*row).await else { continue };
                        let (app, pictures) = (self.pictures.app(&message), self.pictures.of(&message));
                        if events.send(Event::Pictures { message: row.0, app, pictures }).await.is_err() {
                            return;
                        }
                    }
                }
                message = messages.recv() => {
                    let event = match message {
                        Ok(tidings_inbox::Event::Stored(message)) => {
                            Event::Message(self.stored(&message, &self.snapshot.borrow()))
                        }
                        Ok(tidings_inbox::Event::Gone(rows)) => Event::Gone { messages: numbers(&rows) },
                        Ok(tidings_inbox::Event::Read(rows)) => Event::Read { messages: numbers(&rows) },
                        // Its words are in the snapshot.
                        Ok(tidings_inbox::Event::Notice(_)) => continue,
                        // Some messages were missed: the snapshot makes the reader look again.
                        Err(broadcast::error::RecvError::Lagged(_)) => {
                            Event::Snapshot(self.snapshot.borrow().report())
                        }
                        Err(broadcast::error::RecvError::Closed) => return,
                    };
                    if events.send(event).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// What to tell a reader who knows `told`: each channel's new state, or everything where more changed.
fn news(told: &StatusReport, now: &StatusReport) -> Vec<Event> {
    let frame = |report: &StatusReport| {
        let spoken = (report.language.clone(), report.theme.clone(), report.notices.clone());
        (spoken, report.paused_until, report.unread, report.channels.len())
    };
    let pairs = || now.channels.iter().zip(&told.channels);
    if frame(told) != frame(now) || pairs().any(|(now, told)| what_it_is(now) != what_it_is(told)) {
        return vec![Event::Snapshot(now.clone())];
    }
    let changed = pairs().filter(|(now, told)| what_it_does(now) != what_it_does(told));
    changed.map(|(now, _)| Event::State(now.clone())).collect()
}

/// What of a channel is told with everything else.
fn what_it_is(channel: &ChannelReport) -> impl PartialEq {
    let ChannelReport { id, name, url, kind, topics, sends, demo, .. } = channel.clone();
    (id, name, url, kind, topics, sends, demo)
}

/// What of it is news. A mere byte or round trip is none.
fn what_it_does(channel: &ChannelReport) -> impl PartialEq {
    let ChannelReport { state, stage, since, attempt, retry_at, cause, left_out, .. } = channel.clone();
    let ChannelReport { answers_pings, idle_limit, session, unread, caught_up, .. } = channel.clone();
    let session = session.map(|session| (session.kept, session.life_s, session.in_vain));
    let carried = (channel.carrier, channel.instead_of.clone());
    (
        (state, stage, since, attempt, retry_at, cause, left_out),
        (answers_pings, idle_limit, session, unread, caught_up),
        carried,
    )
}

fn numbers(rows: &[RowId]) -> Vec<i64> {
    rows.iter().map(|row| row.0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// With this channel.
    fn report(channel: &Value) -> StatusReport {
        let report = json!({ "version": "1", "language": "en", "theme": "auto", "paused_until": null, "unread": 0,
            "notices": [], "channels": [channel] });
        serde_json::from_value(report).expect("a report")
    }

    #[test]
    fn whoever_looks_on_is_told_of_each_change_that_is_seen_and_of_no_other() {
        let before = json!({ "id": "a", "name": "A", "url": "wss://a.example/", "kind": "recipe", "topics": ["a"], "carrier": "websocket", "instead_of": null,
            "sends": false, "state": "connected", "stage": null, "since": "2026-11-30T12:00:00Z", "attempt": 0,
            "retry_at": null, "cause": null, "last_close": null, "rtt_ms": null, "answers_pings": null, "left_out": ["a"],
            "idle_limit": null, "last_inbound": null, "links_opened": 1, "unread": 0, "session": null, "caught_up": null, "dropped": null,
            "demo": false });
        let snapshot = Some("snapshot");
        let state = Some("state");
        let later = "2026-11-30T13:00:00Z";
        let session = json!({ "sign_in": "https://a.example/", "kept": null, "life_s": 60.0, "kept_alive_s": null,
            "alive_at": null });
        let changes = [
            ("id", json!("b"), snapshot),
            ("name", json!("B"), snapshot),
            ("url", json!("wss://b.example/"), snapshot),
            ("kind", json!("ntfy"), snapshot),
            ("topics", json!(["a", "b"]), snapshot),
            ("sends", json!(true), snapshot),
            ("state", json!("connecting"), state),
            ("stage", json!("sign_in"), state),
            ("since", json!(later), state),
            ("attempt", json!(1), state),
            ("retry_at", json!(later), state),
            ("cause", json!("no network"), state),
            ("last_close", json!({ "code": 1000, "reason": "" }), None),
            ("rtt_ms", json!(6.0), None),
            ("answers_pings", json!(true), state),
            ("left_out", json!(["a", "b"]), state),
            ("idle_limit", json!({ "after_s": 60.0, "kept_awake_s": 30.0 }), state),
            ("carrier", json!("sockjs"), state),
            ("instead_of", json!({ "carrier": "websocket", "failed": 3, "cause": "no" }), state),
            ("last_inbound", json!(later), None),
            ("links_opened", json!(2), None),
            ("unread", json!(1), state),
            ("session", session.clone(), state),
            ("caught_up", json!({ "complete": true, "from": null, "until": null }), state),
            ("dropped", json!({ "repeated": 1, "ignored": 0 }), None),
            ("demo", json!(true), snapshot),
        ];
        let fields: Vec<&String> = before.as_object().expect("an object").keys().collect();
        let mut named: Vec<&str> = changes.iter().map(|(field, ..)| *field).collect();
        named.sort_unstable();
        assert_eq!(named, fields, "each has its place");
        for (field, value, wanted) in changes {
            let mut after = before.clone();
            after[field] = value;
            let told = news(&report(&before), &report(&after));
            let told: Vec<Value> = told.iter().map(|event| json!(event)["type"].clone()).collect();
            assert_eq!(told, wanted.map_or_else(Vec::new, |wanted| vec![json!(wanted)]), "{field}");
        }
        let with = |session: &Value| {
            let mut channel = before.clone();
            channel["session"] = session.clone();
            report(&channel)
        };
        let mut in_vain = session.clone();
        in_vain["in_vain"] = json!(true);
        assert_eq!(news(&with(&session), &with(&in_vain)).len(), 1, "the page offers no sign-in any more");
    }
}
