//! Sees what crosses a bus between others: which popups a program asks a real notification service for.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use zbus::message::Type;
use zbus::zvariant::OwnedValue;
use zbus::{MatchRule, MessageStream, fdo::MonitoringProxy};

use crate::desktop::PrivateBus;

/// Overhears `Notify` calls from its start on.
#[derive(Debug)]
pub struct Witness {
    calls: MessageStream,
}

/// One call of `Notify`, the parts that a person sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Title.
    pub summary: String,
    /// Body.
    pub body: String,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: u8,
}

type Notify = (String, u32, String, String, String, Vec<String>, HashMap<String, OwnedValue>, i32);

impl Witness {
    /// Starts to listen.
    pub async fn listen(bus: &PrivateBus) -> anyhow::Result<Self> {
        let connection = bus.connect().await?;
        let rule = MatchRule::builder()
            .msg_type(Type::MethodCall)
            .interface("org.freedesktop.Notifications")?
            .member("Notify")?
            .build();
        let calls = MessageStream::from(&connection);
        MonitoringProxy::new(&connection)
            .await?
            .become_monitor(&[rule], 0)
            .await
            .context("the bus lets nobody listen")?;
        Ok(Self { calls })
    }

    /// The next call.
    pub async fn next(&mut self, within: Duration) -> anyhow::Result<Asked> {
        let heard = async {
            loop {
                let message = self.calls.next().await.context("the bus is gone")??;
                // The monitor hears its own farewells as well (NameLost).
                if message.header().member().is_none_or(|member| member.as_str() != "Notify") {
                    continue;
                }
                let (_, _, _, summary, body, _, hints, _): Notify = message.body().deserialize()?;
                let urgency = hints.get("urgency").and_then(|value| u8::try_from(value).ok()).unwrap_or(1);
                return Ok(Asked { summary, body, urgency });
            }
        };
        tokio::time::timeout(within, heard).await.with_context(|| format!("no popup within {within:?}"))?
    }

    /// Whether nothing was asked for up to now.
    pub async fn heard_nothing(&mut self) -> bool {
        // What has arrived is there at once; a moment lets the bus hand over what is on its way.
        self.next(Duration::from_millis(300)).await.is_err()
    }
}
