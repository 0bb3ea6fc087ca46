//! Where one MQTT packet ends and the next begins (MQTT 5.0, section 2.1), whatever pieces they come in.

use crate::link::tap::MOST_MESSAGE;

/// What a packet may have beside its message, bytes: topic and properties.
const MOST_BESIDE: u64 = 64 * 1024;
/// Longest packet that is kept.
pub(crate) const MOST_PACKET: u64 = MOST_MESSAGE + MOST_BESIDE;
/// Of one that is longer, the start is kept: enough for the topic and the number by which it is acknowledged.
const START: usize = 2 + 65_535 + 2;
/// Kinds of packets that a broker sends: the first half of their first byte.
pub(super) const CONNACK: u8 = 2;
pub(crate) const PUBLISH: u8 = 3;
pub(super) const PUBREL: u8 = 6;
pub(super) const SUBACK: u8 = 9;
pub(super) const UNSUBACK: u8 = 11;
pub(super) const PINGRESP: u8 = 13;
pub(super) const DISCONNECT: u8 = 14;

/// A packet as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Its kind, and its flags below.
    pub(crate) first: u8,
    pub(crate) body: Vec<u8>,
    /// It is longer than is kept: how long it is. The body is its start.
    pub(crate) too_long: Option<u64>,
}

impl Packet {
    pub(crate) fn kind(&self) -> u8 {
        self.first >> 4
    }

    pub(crate) fn flags(&self) -> u8 {
        self.first & 0x0F
    }
}

/// The stream is no MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Cuts a stream into packets.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    /// The first byte and those of the length, until these are whole.
    head: Vec<u8>,
    packet: Option<Packet>,
    /// Bytes that its body still lacks.
    missing: u64,
}

impl Framer {
    /// Takes bytes as they come. Packets go to `out`.
    pub(crate) fn take(&mut self, mut bytes: &[u8], out: &mut impl Extend<Packet>) -> Result<(), Malformed> {
        loop {
            if let Some(packet) = &mut self.packet {
                let now = usize::try_from(self.missing).unwrap_or(usize::MAX).min(bytes.len());
                let (mine, rest) = bytes.split_at(now);
                let room =
                    if packet.too_long.is_some() { START.saturating_sub(packet.body.len()) } else { now };
                packet.body.extend_from_slice(&mine[..room.min(now)]);
                self.missing -= now as u64;
                bytes = rest;
                if self.missing > 0 {
                    return Ok(());
                }
                out.extend(self.packet.take());
            }
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.head.push(*byte);
            self.begin()?;
        }
    }

    /// The head has one more byte.
    fn begin(&mut self) -> Result<(), Malformed> {
        let Some((&first, length)) = self.head.split_first() else { return Ok(()) };
        if !may_begin(first) {
            return Err(Malformed);
        }
        match length.last() {
            None => return Ok(()),
            Some(last) if last & 0x80 != 0 => return if length.len() < 4 { Ok(()) } else { Err(Malformed) },
            Some(_) => {}
        }
        let length = length.iter().rev().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7F));
        let too_long = (length > MOST_PACKET).then_some(length);
        // Nothing but a message is so long.
        if too_long.is_some() && first >> 4 != PUBLISH {
            return Err(Malformed);
        }
        self.head = Vec::new();
        self.missing = length;
        self.packet = Some(Packet { first, body: Vec::new(), too_long });
        Ok(())
    }
}

/// Whether a packet of a broker's begins so, by its kind and flags. We publish nothing and name no method to authenticate by, so nothing answers to that.
fn may_begin(first: u8) -> bool {
    match first >> 4 {
        PUBLISH => true,
        PUBREL => first & 0x0F == 2,
        CONNACK | SUBACK | UNSUBACK | PINGRESP | DISCONNECT => first & 0x0F == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        let mut length = body.len();
        loop {
            let more = length > 0x7F;
            let low = u8::try_from(length & 0x7F).expect("7 bits");
            bytes.push(low | if more { 0x80 } else { 0 });
            length >>= 7;
            if !more {
                break;
            }
        }
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_packet_that_is_too_long_costs_itself_alone() {
        let body = vec![7; usize::try_from(MOST_PACKET).expect("small") + 1];
        let long = packet(0x32, &body);
        let (mut framer, mut found) = (Framer::default(), Vec::new());
        for piece in [long.as_slice(), &packet(0x30, b"next")].concat().chunks(100_000) {
            framer.take(piece, &mut found).expect("packets");
        }
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].too_long, Some(MOST_PACKET + 1));
        assert_eq!(found[0].body.len(), START);
        assert_eq!(found[1], Packet { first: 0x30, body: b"next".to_vec(), too_long: None });
    }

    #[test]
    fn a_length_without_an_end_and_a_giant_that_is_no_message_end_the_stream() {
        for bytes in [&[0x30, 0xFF, 0xFF, 0xFF, 0xFF][..], &[0x90, 0xFF, 0xFF, 0xFF, 0x7F]] {
            assert_eq!(Framer::default().take(bytes, &mut Vec::new()), Err(Malformed), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn packets_are_the_same_however_they_are_cut(
            bodies in prop::collection::vec((prop::sample::select(vec![0x30_u8, 0x3D, 0x20, 0x62, 0x90, 0xE0]), prop::collection::vec(any::<u8>(), 0..300)), 1..6),
            cut in 1_usize..50,
        ) {
            let stream: Vec<u8> = bodies.iter().flat_map(|(first, body)| packet(*first, body)).collect();
            let (mut framer, mut found) = (Framer::default(), Vec::new());
            for piece in stream.chunks(cut) {
                framer.take(piece, &mut found).expect("packets");
            }
            let expected: Vec<Packet> = bodies
                .into_iter()
                .map(|(first, body)| Packet { first, body, too_long: None })
                .collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn whatever_comes_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = Framer::default().take(&bytes, &mut Vec::new());
        }
    }
}
