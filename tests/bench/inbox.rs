//! An inbox of many messages, as years of use leave it: filled by the inbox itself, message by message, with
//! English and Chinese words in an order that is the same in each run.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tidings_inbox::{About, Arrival, ChannelProfile, Inbox, Notifier, Payload, Policy, Popup, RowId};
use tokio::sync::mpsc;

const WORDS: [&str; 24] = [
    "order",
    "orders",
    "shipped",
    "payment",
    "received",
    "customer",
    "invoice",
    "delayed",
    "warehouse",
    "server",
    "restarted",
    "backup",
    "finished",
    "disk",
    "almost",
    "full",
    "meeting",
    "moved",
    "tomorrow",
    "build",
    "failed",
    "branch",
    "review",
    "requested",
];
const CHINESE: [&str; 12] = [
    "订单",
    "已发货",
    "付款",
    "成功",
    "客户",
    "发票",
    "延迟",
    "仓库",
    "服务器",
    "重启",
    "备份完成",
    "会议改期",
];

/// The channel of nearly all messages, which are read; and that of one in so many, which nobody has looked at.
const COMMON: &str = "bench";
pub(crate) const RARE: &str = "rare";
const ONE_IN: u64 = 10_000;

/// Tells which rows the inbox would have shown.
struct Shown(mpsc::UnboundedSender<RowId>);

impl Notifier for Shown {
    fn show(&mut self, popup: Popup) {
        if let Popup::Message(message) = popup {
            // Nobody listens once all are stored.
            let _ = self.0.send(message.row);
        }
    }
}

/// Keeps everything and holds no popup back.
fn policy() -> Policy {
    Policy { burst: u32::MAX, keep_days: 36_500, keep_messages: u32::MAX, ..Policy::default() }
}

/// Opens the inbox without showing anything.
pub(crate) fn open(file: &Path) -> Inbox {
    let (sender, _) = mpsc::unbounded_channel();
    Inbox::open(file, policy(), Shown(sender)).0
}

/// Makes an inbox of so many messages, each of them shown.
pub(crate) async fn fill(file: &Path, messages: u64) -> anyhow::Result<()> {
    let (sender, mut popups) = mpsc::unbounded_channel();
    let (inbox, _) = Inbox::open(file, policy(), Shown(sender));
    let shown = tokio::spawn({
        let inbox = inbox.clone();
        async move {
            for _ in 0..messages {
                let Some(row) = popups.recv().await else { return };
                inbox.shown(vec![row]);
            }
        }
    });
    let (common, rare) = (ChannelProfile::new(COMMON, "Bench"), ChannelProfile::new(RARE, "Rare"));
    let (common, rare) = (Arc::new(common), Arc::new(rare));
    for number in 0..messages {
        let payload = Payload::Text(format!(r#"{{"id": {number}, "body": "{}"}}"#, body(number)));
        let channel = Arc::clone(if number % ONE_IN == 0 { &rare } else { &common });
        inbox
            .receive(Arrival {
                channel,
                payload,
                about: About::default(),
                received_at: Timestamp::now(),
                catch_up: false,
                receipt: None,
            })
            .await;
    }
    shown.await?;
    inbox.mark_all_read(Some(COMMON.to_owned())).await;
    inbox.close().await;
    Ok(())
}

fn body(number: u64) -> String {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut pick = |from: &[&'static str]| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        #[expect(clippy::cast_possible_truncation, reason = "it is random")]
        from[random as usize % from.len()]
    };
    let english: Vec<&str> = (0..8).map(|_| pick(&WORDS)).collect();
    let chinese: Vec<&str> = (0..4).map(|_| pick(&CHINESE)).collect();
    format!("#{number} {} {}", english.join(" "), chinese.concat())
}
