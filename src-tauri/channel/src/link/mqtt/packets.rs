//! What a broker's packets say, and ours for it, in both versions: 3.1.1 and 5.0. Reason codes are read here, since the library refuses
//! those that it doesn't know.

use std::sync::Arc;
use std::time::Duration;

use mqtt_protocol_core::mqtt::packet::{
    MaximumPacketSize, Properties, PropertiesParse, Property, Qos as WireQos, ReceiveMaximum, RetainHandling,
    SessionExpiryInterval, SubEntry, SubOpts, v3_1_1, v5_0,
};

use super::frame::{
    CONNACK, DISCONNECT, MOST_PACKET, Malformed, PINGRESP, PUBLISH, PUBREL, Packet, SUBACK, UNSUBACK,
};
use crate::link::tap::MOST_MESSAGE;
use crate::{Mqtt, Payload, Published, Qos};

/// Messages that a broker may have sent and we have not acknowledged. Too low: a night's messages come one round trip at a time; too
/// high: they pile up in memory while the disk is slow.
pub(super) const RECEIVE_MAXIMUM: u16 = 64;

/// Which MQTT is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V311,
    V5,
}

/// Why a broker refuses something or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: u8,
    /// Its own words or address, if any.
    pub(crate) said: String,
}

/// What a broker agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// It has kept what we missed.
    pub(crate) session: bool,
    /// How often it wants to hear of us.
    pub(crate) keep_alive: Option<u16>,
    /// The most that it promises.
    pub(crate) most: Option<u8>,
    /// The longest packet that it takes, bytes.
    pub(crate) longest: Option<u32>,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Connected(Agreed),
    Refused(Reason),
    /// A code for each filter, in their order.
    Subscribed(Vec<u8>, String),
    Published {
        topic: String,
        payload: Payload,
        qos: Qos,
        id: Option<u16>,
        about: Published,
    },
    /// A message of QoS 2 is released.
    Released(u16),
    Pong,
    Ended(Reason),
    /// Nothing that concerns us.
    Nothing,
}

/// What a broker's packet says.
pub(crate) fn read(version: Version, packet: Packet) -> Result<Said, Malformed> {
    let (kind, flags) = (packet.kind(), packet.flags());
    if kind == PUBLISH {
        return published(version, flags, packet);
    }
    let body = packet.body.as_slice();
    match kind {
        CONNACK => {
            let &[flags, code, ref rest @ ..] = body else { return Err(Malformed) };
            // A broker that speaks 3.1.1 alone says so in its own way, whatever it was asked in.
            let is_old = version == Version::V311 || rest.is_empty();
            let told = if is_old { Told::default() } else { Told::read(rest)? };
            let code = if is_old { code_of_311(code) } else { code };
            Ok(match code {
                0 => Said::Connected(Agreed { session: flags & 1 == 1, ..told.agreed }),
                code => Said::Refused(Reason { code, said: told.said }),
            })
        }
        SUBACK => {
            let &[_, _, ref rest @ ..] = body else { return Err(Malformed) };
            let (told, codes) = match version {
                Version::V311 => (Told::default(), rest),
                Version::V5 => {
                    let (properties, length) = Properties::parse(rest).map_err(|_| Malformed)?;
                    (Told::of(&properties), rest.get(length..).unwrap_or_default())
                }
            };
            Ok(Said::Subscribed(codes.to_vec(), told.said))
        }
        PUBREL => {
            let &[high, low, ..] = body else { return Err(Malformed) };
            Ok(Said::Released(u16::from_be_bytes([high, low])))
        }
        PINGRESP => Ok(Said::Pong),
        DISCONNECT if version == Version::V5 => Ok(Said::Ended(match body {
            [] => Reason { code: 0, said: String::new() },
            [code] => Reason { code: *code, said: String::new() },
            [code, rest @ ..] => Reason { code: *code, said: Told::read(rest)?.said },
        })),
        UNSUBACK if body.len() > 1 => Ok(Said::Nothing),
        _ => Err(Malformed),
    }
}

/// A return code of 3.1.1's CONNACK, as 5.0 has it.
fn code_of_311(code: u8) -> u8 {
    match code {
        1 => 0x84,
        2 => 0x85,
        3 => 0x88,
        4 => 0x86,
        5 => 0x87,
        other => other,
    }
}

fn published(version: Version, flags: u8, packet: Packet) -> Result<Said, Malformed> {
    let (again, retained) = (flags & 8 != 0, flags & 1 != 0);
    let qos = match flags >> 1 & 3 {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        2 => Qos::ExactlyOnce,
        _ => return Err(Malformed),
    };
    let about = Published { again, retained, ..Published::default() };
    if let Some(bytes) = packet.too_long {
        let (topic, rest) = text(&packet.body)?;
        let id = match qos {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce | Qos::ExactlyOnce => {
                Some(rest.first_chunk().map(|id| u16::from_be_bytes(*id)).ok_or(Malformed)?)
            }
        };
        return Ok(Said::Published { topic, payload: Payload::TooBig { bytes }, qos, id, about });
    }
    let body: Arc<[u8]> = packet.body.into();
    let read = match version {
        Version::V311 => v3_1_1::Publish::parse(flags, body).map(|(publish, _)| {
            (
                publish.topic_name().to_owned(),
                publish.payload().as_slice().to_vec(),
                publish.packet_id(),
                about,
            )
        }),
        Version::V5 => v5_0::Publish::parse(flags, body).map(|(publish, _)| {
            let about = beside(about, publish.props());
            (
                publish.topic_name().to_owned(),
                publish.payload().as_slice().to_vec(),
                publish.packet_id(),
                about,
            )
        }),
    };
    let (topic, payload, id, about) = read.map_err(|_| Malformed)?;
    // Aliases aren't offered.
    if topic.is_empty() || id == Some(0) {
        return Err(Malformed);
    }
    Ok(Said::Published { topic, payload: payload_of(payload, about.is_text), qos, id, about })
}

/// Whoever sends text says so rarely: what can be read is text.
fn payload_of(bytes: Vec<u8>, is_text: bool) -> Payload {
    if bytes.len() as u64 > MOST_MESSAGE {
        return Payload::TooBig { bytes: bytes.len() as u64 };
    }
    match String::from_utf8(bytes) {
        Ok(text) => Payload::Text(text),
        Err(error) if is_text => Payload::Garbled(error.into_bytes()),
        Err(error) => Payload::Binary(error.into_bytes()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of MQTT's properties few concern us")]
fn beside(mut about: Published, properties: &Properties) -> Published {
    for property in properties {
        match property {
            Property::PayloadFormatIndicator(format) => about.is_text = format.val() == 1,
            Property::MessageExpiryInterval(seconds) => {
                about.expires_in = Some(Duration::from_secs(seconds.val().into()));
            }
            Property::ContentType(kind) => about.content_type = Some(kind.val().to_owned()),
            Property::ResponseTopic(topic) => about.response_topic = Some(topic.val().to_owned()),
            Property::UserProperty(pair) => about.user.push((pair.key().to_owned(), pair.val().to_owned())),
            _ => {}
        }
    }
    about
}

/// A text of MQTT's, and what is behind it.
fn text(bytes: &[u8]) -> Result<(String, &[u8]), Malformed> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(Malformed)?;
    Ok((std::str::from_utf8(text).map_err(|_| Malformed)?.to_owned(), rest))
}

/// What the properties of an answer tell.
#[derive(Default)]
struct Told {
    agreed: Agreed,
    said: String,
}

impl Told {
    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (properties, _) = Properties::parse(bytes).map_err(|_| Malformed)?;
        Ok(Self::of(&properties))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of MQTT's properties few concern us")]
    fn of(properties: &Properties) -> Self {
        let mut told = Self::default();
        for property in properties {
            match property {
                Property::ServerKeepAlive(seconds) => told.agreed.keep_alive = Some(seconds.val()),
                Property::MaximumQos(most) => told.agreed.most = Some(most.val()),
                Property::MaximumPacketSize(longest) => told.agreed.longest = Some(longest.val()),
                Property::ReasonString(reason) => reason.val().clone_into(&mut told.said),
                // Where else the broker is: nobody is led there without being asked.
                Property::ServerReference(reference) if told.said.is_empty() => {
                    reference.val().clone_into(&mut told.said);
                }
                _ => {}
            }
        }
        told
    }
}

/// Who we say we are.
pub(crate) struct Introduction<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) user_name: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    pub(crate) keep_alive: u16,
    /// For how long the broker is to keep what we miss; zero: not at all.
    pub(crate) session_expiry: Duration,
}

/// What can't be said in MQTT: a name or a password that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsayable;

/// The first packet.
pub(crate) fn connect(version: Version, who: &Introduction<'_>) -> Result<Vec<u8>, Unsayable> {
    let Introduction { client_id, user_name, password, keep_alive, session_expiry } = *who;
    let seconds = u32::try_from(session_expiry.as_secs()).unwrap_or(u32::MAX);
    macro_rules! introduced {
        ($builder:expr) => {{
            let mut builder = $builder.client_id(client_id).map_err(|_| Unsayable)?.keep_alive(keep_alive);
            if let Some(name) = user_name {
                builder = builder.user_name(name).map_err(|_| Unsayable)?;
            }
            if let Some(password) = password {
                builder = builder.password(password.as_bytes().to_vec()).map_err(|_| Unsayable)?;
            }
            builder
        }};
    }
    match version {
        Version::V311 => {
            let builder = introduced!(v3_1_1::Connect::builder()).clean_session(seconds == 0);
            Ok(builder.build().map_err(|_| Unsayable)?.to_continuous_buffer())
        }
        Version::V5 => {
            let most = u32::try_from(MOST_PACKET).unwrap_or(u32::MAX);
            let properties: Vec<Property> = vec![
                SessionExpiryInterval::new(seconds).map_err(|_| Unsayable)?.into(),
                ReceiveMaximum::new(RECEIVE_MAXIMUM).map_err(|_| Unsayable)?.into(),
                MaximumPacketSize::new(most).map_err(|_| Unsayable)?.into(),
            ];
            let builder = introduced!(v5_0::Connect::builder()).clean_start(seconds == 0).props(properties);
            Ok(builder.build().map_err(|_| Unsayable)?.to_continuous_buffer())
        }
    }
}

/// Number of our one SUBSCRIBE, and of the UNSUBSCRIBE before it.
const SUBSCRIBE_ID: u16 = 1;
const UNSUBSCRIBE_ID: u16 = 2;

/// What is to be heard. Of what the broker retains, only that of a subscription that is new to it is asked for.
pub(crate) fn subscribe(version: Version, ask: &Mqtt, most: Option<u8>) -> Result<Vec<u8>, Unsayable> {
    let entry = |subscription: &crate::Subscription| {
        let qos = match subscription.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
            Qos::ExactlyOnce => 2,
        };
        let qos = match qos.min(most.unwrap_or(2)) {
            0 => WireQos::AtMostOnce,
            1 => WireQos::AtLeastOnce,
            _ => WireQos::ExactlyOnce,
        };
        let options = SubOpts::new().set_qos(qos);
        let options = match version {
            Version::V311 => options,
            Version::V5 => options.set_rh(RetainHandling::SendRetainedIfNotExists),
        };
        SubEntry::new(subscription.filter.as_str(), options).map_err(|_| Unsayable)
    };
    let entries = ask.topics.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    match version {
        Version::V311 => {
            let packet = v3_1_1::Subscribe::builder().packet_id(SUBSCRIBE_ID).entries(entries).build();
            Ok(packet.map_err(|_| Unsayable)?.to_continuous_buffer())
        }
        Version::V5 => {
            let packet = v5_0::Subscribe::builder().packet_id(SUBSCRIBE_ID).entries(entries).build();
            Ok(packet.map_err(|_| Unsayable)?.to_continuous_buffer())
        }
    }
}

/// What is to be heard no more.
pub(crate) fn unsubscribe(version: Version, filters: &[String]) -> Result<Vec<u8>, Unsayable> {
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    match version {
        Version::V311 => {
            let builder = v3_1_1::Unsubscribe::builder().packet_id(UNSUBSCRIBE_ID);
            let packet = builder.entries(filters).map_err(|_| Unsayable)?.build();
            Ok(packet.map_err(|_| Unsayable)?.to_continuous_buffer())
        }
        Version::V5 => {
            let builder = v5_0::Unsubscribe::builder().packet_id(UNSUBSCRIBE_ID);
            let packet = builder.entries(filters).map_err(|_| Unsayable)?.build();
            Ok(packet.map_err(|_| Unsayable)?.to_continuous_buffer())
        }
    }
}

/// PUBACK.
pub(crate) fn stored(id: u16) -> [u8; 4] {
    numbered(0x40, id)
}

/// PUBREC.
pub(crate) fn stored_once(id: u16) -> [u8; 4] {
    numbered(0x50, id)
}

/// PUBCOMP.
pub(crate) fn completed(id: u16) -> [u8; 4] {
    numbered(0x70, id)
}

fn numbered(first: u8, id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [first, 2, high, low]
}

/// PINGREQ.
pub(crate) const PING: [u8; 2] = [0xC0, 0];

/// DISCONNECT, without a word or because the broker broke a rule.
pub(crate) fn goodbye(version: Version, code: u8) -> Vec<u8> {
    match (version, code) {
        (Version::V311, _) | (Version::V5, 0) => vec![0xE0, 0],
        (Version::V5, code) => vec![0xE0, 1, code],
    }
}
