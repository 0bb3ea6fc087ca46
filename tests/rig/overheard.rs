//! All that crosses a bus between a program and a real notification service: calls, their answers, and clicks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::StreamExt;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zbus::message::Type;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, MatchRule, Message, MessageStream, fdo::MonitoringProxy, proxy};

use crate::desktop::PrivateBus;
use crate::wait::News;

const INTERFACE: &str = "org.freedesktop.Notifications";

/// The service, as a program sees it.
#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
pub trait Notifications {
    /// Name, vendor, version, version of the specification.
    fn get_server_information(&self) -> zbus::Result<(String, String, String, String)>;
    /// Withdraws a popup.
    fn close_notification(&self, id: u32) -> zbus::Result<()>;
}

/// One thing that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A call of `Notify`.
    Asked {
        /// By which its answer is known.
        serial: u32,
        /// The popup whose place it takes; 0 for none.
        replaces: u32,
        /// Title.
        summary: String,
    },
    /// The answer to one.
    Shown {
        /// Of the call.
        serial: u32,
        /// Of the popup from now on.
        id: u32,
    },
    /// The user chose an action.
    Invoked {
        /// The popup.
        id: u32,
        /// The action.
        key: String,
    },
    /// A popup is gone.
    Closed {
        /// The popup.
        id: u32,
        /// 1 expired, 2 dismissed, 3 withdrawn.
        reason: u32,
    },
}

/// Listens from its start on.
#[derive(Debug)]
pub struct Overheard {
    shared: Arc<Shared>,
    connection: Connection,
    listening: AbortHandle,
}

#[derive(Debug, Default)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    news: News,
}

type Notify = (String, u32, String, String, String, Vec<String>, HashMap<String, OwnedValue>, i32);

impl Overheard {
    /// Starts to listen.
    pub async fn on(bus: &PrivateBus) -> anyhow::Result<Self> {
        let monitor = bus.connect().await?;
        let messages = MessageStream::from(&monitor);
        let of = |kind| {
            MatchRule::builder().msg_type(kind).interface(INTERFACE).map(zbus::match_rule::Builder::build)
        };
        let answers = MatchRule::builder().msg_type(Type::MethodReturn).build();
        let rules = [of(Type::MethodCall)?, of(Type::Signal)?, answers];
        MonitoringProxy::new(&monitor)
            .await?
            .become_monitor(&rules, 0)
            .await
            .context("the bus lets nobody listen")?;
        let shared = Arc::<Shared>::default();
        let listening = tokio::spawn(listen(messages, Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, connection: bus.connect().await?, listening })
    }

    /// All that was heard so far.
    pub fn all(&self) -> Vec<Heard> {
        lock(&self.shared.heard).clone()
    }

    /// Waits for the popup of this title: its id, and the one that it was to replace (0: none).
    pub async fn shown(&self, title: &str, within: Duration) -> anyhow::Result<(u32, u32)> {
        let find = |heard: &[Heard]| {
            let (serial, replaces) = heard.iter().rev().find_map(|one| {
                let Heard::Asked { serial, replaces, summary } = one else { return None };
                (summary == title).then_some((*serial, *replaces))
            })?;
            heard.iter().find_map(|one| {
                let Heard::Shown { serial: of, id } = one else { return None };
                (*of == serial).then_some((*id, replaces))
            })
        };
        self.wait_for(&format!("the popup {title:?}"), within, find).await
    }

    /// Waits until what was heard is as wanted.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        within: Duration,
        find: impl Fn(&[Heard]) -> Option<T>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + within;
        let mut news = self.shared.news.listen();
        loop {
            if let Some(found) = find(&self.all()) {
                return Ok(found);
            }
            if !news.heard(deadline).await {
                bail!("{what}: not within {within:?}; heard: {:?}", self.all());
            }
        }
    }

    /// Withdraws every popup that is still there, as far as is known.
    pub async fn clear(&self) -> anyhow::Result<()> {
        let service = NotificationsProxy::new(&self.connection).await?;
        let mut open = Vec::new();
        for one in self.all() {
            match one {
                Heard::Shown { id, .. } => open.push(id),
                Heard::Closed { id, .. } => open.retain(|other| *other != id),
                Heard::Asked { .. } | Heard::Invoked { .. } => {}
            }
        }
        for id in open {
            // Some services have an error for one that has gone by itself.
            let _ = service.close_notification(id).await;
        }
        Ok(())
    }

    /// What the service calls itself, and its version.
    pub async fn name(&self) -> anyhow::Result<(String, String)> {
        let service = NotificationsProxy::new(&self.connection).await?;
        let (name, _, version, _) = service.get_server_information().await?;
        Ok((name, version))
    }
}

impl Drop for Overheard {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(mut messages: MessageStream, shared: Arc<Shared>) {
    // Callers of `Notify` whose answer is to come.
    let mut waiting: Vec<(String, u32)> = Vec::new();
    while let Some(Ok(message)) = messages.next().await {
        if let Some(heard) = heard(&message, &mut waiting) {
            lock(&shared.heard).push(heard);
            shared.news.tell();
        }
    }
}

fn heard(message: &Message, waiting: &mut Vec<(String, u32)>) -> Option<Heard> {
    let header = message.header();
    let body = message.body();
    if message.message_type() == Type::MethodReturn {
        let of = (header.destination()?.to_string(), header.reply_serial()?.get());
        let at = waiting.iter().position(|call| *call == of)?;
        let (_, serial) = waiting.remove(at);
        return Some(Heard::Shown { serial, id: body.deserialize().ok()? });
    }
    match header.member()?.as_str() {
        "Notify" => {
            let (_, replaces, _, summary, ..): Notify = body.deserialize().ok()?;
            let serial = message.primary_header().serial_num().get();
            waiting.push((header.sender()?.to_string(), serial));
            Some(Heard::Asked { serial, replaces, summary })
        }
        "ActionInvoked" => body.deserialize().ok().map(|(id, key)| Heard::Invoked { id, key }),
        "NotificationClosed" => body.deserialize().ok().map(|(id, reason)| Heard::Closed { id, reason }),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
