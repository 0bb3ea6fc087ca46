//! A proxy that knows who the user is, and says so in a header.

use std::{net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, HeaderName};

use super::guest::{By, Denied, Guest, is_user};

/// A header that names the user, and who may send it.
#[derive(Debug, Clone)]
pub struct UserHeader {
    /// The header's name.
    pub name: HeaderName,
    /// Where the proxies connect from.
    pub proxies: Vec<Network>,
}

/// Some addresses: `10.0.0.7`, `10.0.0.0/8` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// Not an address, or an address and the number of bits that count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network such as 10.0.0.0/8 or fd00::/8 (bits after the prefix are 0)")]
pub struct NoNetwork(String);

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let error = || NoNetwork(text.to_owned());
        let (first, bits) = match text.split_once('/') {
            None => (text, None),
            Some((first, bits)) => (first, Some(bits)),
        };
        let first: IpAddr = first.parse().map_err(|_| error())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().map_err(|_| error())?
            }
            Some(_) => return Err(error()),
        };
        let network = Self { first, bits };
        // `10.1.2.3/8` may be meant as either: it is asked back.
        if bits > most || network.masked(first) != Some(number(first)) { Err(error()) } else { Ok(network) }
    }
}

impl Network {
    /// Whether the address is one of these. An IPv4 address in IPv6's clothes (`::ffff:10.0.0.7`) counts as what it is.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && self.masked(address) == Some(number(self.first))
    }

    fn masked(&self, address: IpAddr) -> Option<u128> {
        let most: u32 = if self.first.is_ipv4() { 32 } else { 128 };
        let rest = most.checked_sub(self.bits.into())?;
        Some(u128::MAX.checked_shl(rest).unwrap_or(0) & number(address))
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

impl UserHeader {
    /// The user that the header names; `None`: there is no header.
    pub(crate) fn user(&self, headers: &HeaderMap, peer: IpAddr) -> Option<Result<Guest, Denied>> {
        let mut values = headers.get_all(&self.name).iter();
        let value = values.next()?;
        if !self.proxies.iter().any(|network| network.holds(peer)) {
            return Some(Err(Denied::Unknown("only the proxy says who a user is")));
        }
        // Two: one of them may have come from outside.
        if values.next().is_some() {
            return Some(Err(Denied::Unknown("the proxy names the user twice")));
        }
        let user = str::from_utf8(value.as_bytes()).ok().filter(|user| is_user(user));
        let user = user.ok_or(Denied::Unknown("what the proxy names is no user"));
        Some(user.map(|user| Guest { user: user.to_owned(), until: None, by: By::Word }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds = |network: &str, address: &str| {
            let network: Network = network.parse().expect("a network");
            network.holds(address.parse().expect("an address"))
        };
        for (network, inside) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "::ffff:127.0.0.1"),
            ("10.0.0.0/8", "10.255.0.1"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("192.168.1.128/25", "192.168.1.200"),
            ("fd00::/8", "fdff::1"),
            ("::1", "::1"),
        ] {
            assert!(holds(network, inside), "{network} {inside}");
        }
        for (network, outside) in [
            ("127.0.0.1", "127.0.0.2"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("192.168.1.128/25", "192.168.1.127"),
            ("0.0.0.0/0", "::1"),
            ("::/0", "127.0.0.1"),
            ("fd00::/8", "fe80::1"),
        ] {
            assert!(!holds(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in [
            "",
            "localhost",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.7/8",
            "10.0.0.0/-1",
            "/8",
            "10.0.0.0/8/8",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong:?}");
        }
    }
}
