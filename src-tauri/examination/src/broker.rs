//! The steps at an MQTT broker: the sign-in, the subscription and the first ping, under a client id that is drawn for the occasion and
//! without a session, so that nobody's place and nobody's messages are taken.

use std::time::Duration;

use tidings_channel::{Cause, Channel, Config, DialParams, Memory, Stage, Start};
use tidings_settings::SessionJar;
use tokio::time::Instant;

use crate::link::{Same, opened_by_any, ping};
use crate::step::{by_another_client_id, failed, good, noted, with_another_clock, without_broker_secret};
use crate::told::Told;

/// The client id is refused.
const CLIENT_ID: u8 = 0x85;
/// The user name or the password is refused.
const PASSWORD: u8 = 0x86;
/// Not allowed; to some brokers the same.
const NOT_ALLOWED: u8 = 0x87;

/// Signs in and subscribes, and waits until it is known whether the broker answers pings. Each of so many addresses gets a try.
/// `idle`: it was asked for how long silence is endured.
pub(crate) async fn sign_in(
    config: Config,
    params: DialParams,
    session: Option<SessionJar>,
    addresses: usize,
    idle: bool,
    told: &mut Told,
) {
    let words = told.words;
    let has_client_id = config.mqtt.as_ref().is_some_and(|asked| asked.client_id.is_some());
    let config = as_a_stranger(config);
    let began = Instant::now();
    let has_secret = params.credential.is_some();
    let (channel, _frames) = Channel::spawn(config.clone(), Start::Connect, Same { params, session });
    let mut status = channel.status();
    let (mut stage, mut since) = (Stage::Tcp, began);
    let found = opened_by_any(&mut status, addresses, |reached| {
        if reached != stage {
            (stage, since) = (reached, Instant::now());
        }
    })
    .await;
    let signed_in = found.is_ok() || stage == Stage::Subscribe;
    if !config.url.is_mqtt() && (signed_in || stage == Stage::SignIn) {
        told.tell(good("upgrade", None, words.doctor_upgraded())).await;
    }
    if signed_in {
        told.tell(good("sign-in", Some(since - began), words.doctor_signed_in())).await;
    }
    match found {
        Err(cause) => {
            let name = if stage == Stage::Subscribe {
                "subscription"
            } else if stage == Stage::SignIn {
                "sign-in"
            } else {
                "upgrade"
            };
            let step = failed(name, since.elapsed(), &cause, &config, words);
            let code = if let Cause::Broker { code, .. } = cause { Some(code) } else { None };
            let asks = matches!(code, Some(PASSWORD | NOT_ALLOWED)) && stage == Stage::SignIn;
            let step = if asks && !has_secret { without_broker_secret(step, words) } else { step };
            let by_id = matches!(code, Some(CLIENT_ID | NOT_ALLOWED)) && has_client_id;
            let step = if by_id { by_another_client_id(step, words) } else { step };
            told.tell(if asks && told.clock_is_off { with_another_clock(step, words) } else { step }).await;
        }
        Ok(()) => {
            told.tell(good("subscription", Some(since.elapsed()), words.doctor_subscribed())).await;
            told.tell(ping(&mut status, &config, words).await).await;
            if idle {
                told.tell(noted(good("idle", None, words.doctor_idle_broker()))).await;
            }
        }
    }
    channel.shut_down().await;
}

/// As somebody whom the broker doesn't know, and is to forget.
fn as_a_stranger(mut config: Config) -> Config {
    if let Some(asked) = &mut config.mqtt {
        (asked.client_id, asked.session_expiry) = (None, Duration::ZERO);
    }
    Config { memory: Memory::default(), ..config }
}
