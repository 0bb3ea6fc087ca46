//! The steps at an MQTT broker: the sign-in, the subscription and the first ping, under a client id that is drawn for the occasion and
//! without a session, so that nobody's place and nobody's messages are taken.

use std::sync::Arc;
use std::time::Duration;

use tidings_channel::{
    Cause, Channel, Config, DialAsk, DialParams, DialRefusal, Memory, Owner, Stage, Start, Subscribed,
};
use tidings_settings::SessionJar;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::link::{Same, opened_by_any, ping};
use crate::step::{
    by_another_client_id, good, noted, refused, subscribed, with_another_clock, without_broker_secret,
};
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
    let left_out = Arc::new(watch::Sender::new(Vec::new()));
    let owner = Stranger { same: Same { params, session }, left_out: left_out.clone() };
    let (channel, _frames) = Channel::spawn(config.clone(), Start::Connect, owner);
    let mut status = channel.status();
    let (mut stage, mut since, mut before) = (Stage::Tcp, began, began);
    let found = opened_by_any(&mut status, addresses, |reached| {
        if reached != stage {
            (stage, since, before) = (reached, Instant::now(), since);
        }
    })
    .await;
    let signed_in = found.is_ok() || stage == Stage::Subscribe;
    if !config.url.is_mqtt() && (signed_in || stage == Stage::SignIn) {
        told.tell(good("upgrade", None, words.doctor_upgraded())).await;
    }
    if signed_in {
        let took = (stage == Stage::Subscribe).then(|| since - before);
        told.tell(good("sign-in", took, words.doctor_signed_in())).await;
    }
    match found {
        Err(cause) => {
            let name = if stage == Stage::Subscribe {
                "subscription"
            } else if stage == Stage::SignIn || config.url.is_mqtt() {
                "sign-in"
            } else {
                "upgrade"
            };
            let step = refused(name, since.elapsed(), &cause, &config, told);
            let code = if let Cause::Broker { code, .. } = cause { Some(code) } else { None };
            let asks = matches!(code, Some(PASSWORD | NOT_ALLOWED)) && stage == Stage::SignIn;
            let step = if asks && !has_secret { without_broker_secret(step, words) } else { step };
            let by_id = matches!(code, Some(CLIENT_ID | NOT_ALLOWED)) && has_client_id;
            let step = if by_id { by_another_client_id(step, words) } else { step };
            told.tell(if asks && told.clock_is_off { with_another_clock(step, words) } else { step }).await;
        }
        Ok(()) => {
            let took = (stage == Stage::Subscribe).then(|| since.elapsed());
            let left_out = left_out.borrow().join(", ");
            told.tell(subscribed(took, &left_out, words)).await;
            told.tell(ping(&mut status, &config, words).await).await;
            if idle {
                told.tell(noted(good("idle", None, words.doctor_idle_broker()))).await;
            }
        }
    }
    channel.shut_down().await;
}

/// One that hears what the broker makes of each topic.
struct Stranger {
    same: Same,
    left_out: Arc<watch::Sender<Vec<String>>>,
}

impl Owner for Stranger {
    async fn dial_params(&mut self, ask: DialAsk) -> Result<DialParams, DialRefusal> {
        self.same.dial_params(ask).await
    }

    async fn set_cookies(&mut self, set_cookies: Vec<String>) {
        self.same.set_cookies(set_cookies).await;
    }

    async fn subscribed(&mut self, subscribed: Subscribed) {
        self.left_out.send_replace(subscribed.refused);
    }
}

/// As somebody whom the broker doesn't know, and is to forget.
fn as_a_stranger(mut config: Config) -> Config {
    if let Some(asked) = &mut config.mqtt {
        (asked.client_id, asked.session_expiry) = (None, Duration::ZERO);
    }
    Config { memory: Memory::default(), ..config }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tidings_api::Step;
    use tidings_channel::{ChannelUrl, Mqtt, Qos, Subscription};
    use tidings_settings::credential::{Auth, CredentialSource, Credentials};
    use tidings_words::{Language, Words};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;
    use crate::{Examination, Reach, STEPS, examine};

    const CONNECT: u8 = 0x10;
    const SUBSCRIBE: u8 = 0x82;
    const PINGREQ: u8 = 0xC0;

    /// The next packet: its first byte, and what follows its length.
    async fn packet(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
        let first = stream.read_u8().await?;
        let (mut length, mut place) = (0, 0);
        loop {
            let byte = stream.read_u8().await?;
            length |= usize::from(byte & 0x7F) << place;
            place += 7;
            if byte < 0x80 {
                break;
            }
        }
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).await?;
        Ok((first, rest))
    }

    /// Answers one client with these codes, and tells of its CONNECT.
    async fn serve(listener: TcpListener, connack: u8, suback: &'static [u8]) -> Vec<u8> {
        let mut connect = Vec::new();
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return connect };
            while let Ok((first, rest)) = packet(&mut stream).await {
                let answer = match first {
                    CONNECT => {
                        connect = rest;
                        vec![0x20, 3, 0, connack, 0]
                    }
                    SUBSCRIBE => {
                        let codes = u8::try_from(suback.len()).expect("few");
                        [&[0x90, 3 + codes, rest[0], rest[1], 0], suback].concat()
                    }
                    PINGREQ => vec![0xD0, 0],
                    _ => Vec::new(),
                };
                if stream.write_all(&answer).await.is_err() {
                    break;
                }
            }
            // The first connection, which says nothing, looks whether there is a way.
            if !connect.is_empty() {
                return connect;
            }
        }
    }

    /// What an examination tells of a broker that answers so, and what it said of itself.
    async fn examined(connack: u8, suback: &'static [u8], secret: bool) -> (Vec<Step>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("mqtt://{}", listener.local_addr().expect("bound"));
        let serving = tokio::spawn(serve(listener, connack, suback));
        let mut config = Config::new(ChannelUrl::parse(&url, false).expect("a URL"));
        let topic = |filter: &str| Subscription { filter: filter.to_owned(), qos: Qos::AtLeastOnce };
        config.carrier = tidings_channel::Carrier::Mqtt;
        config.mqtt = Some(Box::new(Mqtt {
            topics: vec![topic("home/#"), topic("alarm/+")],
            client_id: Some("the-desk".to_owned()),
            session_expiry: Duration::from_secs(86_400),
        }));
        let source =
            Credentials::new("a", CredentialSource::Keyring, Auth::Bearer).given("s3cret".to_owned());
        let examination = Examination {
            config,
            credentials: Some(source).filter(|_| secret),
            headers: Vec::new(),
            reach: Reach::Handshake,
            signs_in: false,
            words: Words::of(Language::English),
        };
        let (steps, mut told) = mpsc::channel(STEPS);
        let mut seen = Vec::new();
        tokio::join!(examine(examination, steps), async {
            while let Some(step) = told.recv().await {
                seen.push(step);
            }
        });
        (seen, serving.await.expect("no panic"))
    }

    fn named(steps: &[Step]) -> Vec<(&str, Option<bool>)> {
        steps.iter().map(|step| (step.step.as_str(), step.ok)).collect()
    }

    fn mend<'s>(steps: &'s [Step], name: &str) -> &'s str {
        let found = steps.iter().find(|step| step.step == name).expect(name);
        found.mend.as_deref().unwrap_or_default()
    }

    #[tokio::test]
    async fn it_signs_in_as_a_stranger_who_is_forgotten_at_once() {
        let (steps, connect) = examined(0, &[1, 1], false).await;
        let way = [("name", Some(true)), ("address", Some(true))];
        let signed = [("sign-in", Some(true)), ("subscription", Some(true)), ("ping", Some(true))];
        assert_eq!(named(&steps), [&way[..], &signed[..]].concat());
        assert!(!connect.windows(8).any(|part| part == b"the-desk"), "{connect:?}");
        // Session Expiry Interval, four bytes of seconds; absent it is 0, too (MQTT 5.0, section 3.1.2.11.2).
        let expiry = connect.windows(5).find(|part| part[0] == 0x11 && part[1..] == 86_400_u32.to_be_bytes());
        assert_eq!(expiry, None, "{connect:?}");
    }

    #[tokio::test]
    async fn a_topic_that_is_refused_is_named_and_all_of_them_fail_the_subscription() {
        let (steps, _) = examined(0, &[0x87, 1], false).await;
        assert_eq!(named(&steps)[2..4], [("sign-in", Some(true)), ("subscription", None)]);
        assert_eq!(steps[3].detail, "the broker refuses these topics: home/#");
        assert!(mend(&steps, "subscription").contains("(ACL)"));
        let (steps, _) = examined(0, &[0x87, 0x87], false).await;
        assert_eq!(named(&steps)[2..], [("sign-in", Some(true)), ("subscription", Some(false))]);
        assert!(steps[3].detail.starts_with("not allowed by the broker"), "{steps:?}");
    }

    #[tokio::test]
    async fn a_refused_sign_in_is_told_by_what_was_sent() {
        for (code, secret, part) in [
            (0x86, true, "renew the secret"),
            (0x86, false, "no secret was sent"),
            (0x87, false, "no secret was sent"),
            (0x87, true, "the client id of the settings"),
            (0x85, true, "the client id of the settings"),
        ] {
            let (steps, _) = examined(code, &[], secret).await;
            let (last, ok) = *named(&steps).last().expect("steps");
            assert_eq!((last, ok), ("sign-in", Some(false)), "{steps:?}");
            assert!(mend(&steps, "sign-in").contains(part), "{code:#X}: {steps:?}");
            assert!(!format!("{steps:?}").contains("s3cret"));
        }
    }
}
