//! `NO_PROXY`: who is reached without a proxy. No two programs read it alike; this takes every form that curl, Go and
//! Python take, so that what works for them works here. Domains, addresses and networks are compared by `hyper-util`.

use std::net::IpAddr;

use hyper_util::client::proxy::matcher::Matcher;
use ipnet::IpNet;
use url::Host;

/// Whether a list excepts a host at a port. Entries stand between commas or spaces:
///
/// - `*` stands for anything: all hosts, or `10.0.*`;
/// - `example.org`, `.example.org` and `*.example.org` for the domain and all below it, in upper or lower case;
/// - `10.1.2.3`, `fd00::1`, `[fd00::1]` for an address, `10.0.0.0/8`, `fd00::/8` for a network;
/// - each with `:port` for that port alone (an IPv6 address in brackets then).
pub(crate) fn excepts(list: &str, host: &Host<&str>, port: u16) -> bool {
    let host = match host {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        // An IPv4 address in the dress of IPv6 is that address.
        Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => format!("[{address}]"),
        },
        Host::Ipv4(address) => address.to_string(),
    };
    entries(list).any(|(name, only)| only.is_none_or(|only| only == port) && means(name, &host))
}

/// The same list as GLib's `GSimpleProxyResolver` takes it, by which a web view goes; `None`: nobody is reached through a proxy.
/// What can't be said there (a pattern within a name, a port of a network or of all) is left out: it costs a proxy its work, and
/// the user no secret.
pub(crate) fn for_glib(list: &str) -> Option<Vec<String>> {
    let everything = |(name, only): (&str, Option<u16>)| only.is_none() && name == "*";
    let said = || entries(list).filter_map(|(name, only)| said_to_glib(name, only)).collect();
    (!entries(list).any(everything)).then(said)
}

fn said_to_glib(name: &str, only: Option<u16>) -> Option<String> {
    if let Some(network) = network(name) {
        // It takes none that has an address's other bits.
        return only.is_none().then(|| network.trunc().to_string());
    }
    let name = match name.parse() {
        Ok(IpAddr::V6(address)) if only.is_some() => format!("[{address}]"),
        Ok(address) => address.to_string(),
        Err(_) => domain(name)?,
    };
    Some(only.map_or_else(|| name.clone(), |port| format!("{name}:{port}")))
}

/// A network, also as a pattern for its addresses: `10.0.*`.
fn network(name: &str) -> Option<IpNet> {
    if let Ok(network) = name.parse() {
        return Some(network);
    }
    let mut bytes = [0; 4];
    let parts: Vec<&str> = name.split('.').collect();
    let known = parts.iter().take_while(|part| **part != "*").count();
    if !(1..=3).contains(&known) || parts.len() > 4 || known == parts.len() {
        return None;
    }
    for (at, part) in parts.iter().enumerate() {
        match (at < known, bytes.get_mut(at)) {
            (true, Some(byte)) => *byte = part.parse().ok()?,
            _ if *part == "*" => {}
            _ => return None,
        }
    }
    Some(IpNet::new_assert(IpAddr::from(bytes), 8 * u8::try_from(known).ok()?))
}

/// A domain as the URL standard writes it, which is how the hosts of URLs are written.
fn domain(name: &str) -> Option<String> {
    let domain = name.strip_prefix("*.").unwrap_or(name).trim_end_matches('.').trim_start_matches('.');
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) if !domain.contains('*') => Some(domain),
        Ok(_) | Err(_) => None,
    }
}

/// Each name, without brackets, and the port that it is for.
fn entries(list: &str) -> impl Iterator<Item = (&str, Option<u16>)> {
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()).map(apart)
}

fn apart(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, port)) = entry.strip_prefix('[').and_then(|entry| entry.split_once(']')) {
        return (address, port.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        // More than one colon: an IPv6 address.
        Some((name, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        Some(_) | None => (entry, None),
    }
}

fn means(name: &str, host: &str) -> bool {
    let pattern = name.strip_prefix("*.").unwrap_or(name).trim_end_matches('.');
    if pattern.contains('*') {
        return fits(&pattern.to_ascii_lowercase(), host);
    }
    let domain = domain(name).unwrap_or_else(|| pattern.to_owned());
    let direct = Matcher::builder().all("http://proxy").no(domain).build();
    format!("https://{host}/").parse().is_ok_and(|asked| direct.intercept(&asked).is_none())
}

/// Whether a pattern in which `*` stands for anything fits a text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_other_programs_take_is_understood() {
        for (no, url, direct) in [
            // Everything.
            ("*", "wss://shop.example/", true),
            ("*", "wss://10.1.2.3/", true),
            ("*", "wss://[fd00::1]/", true),
            ("other.example, *", "wss://10.1.2.3/", true),
            ("*:8443", "wss://10.1.2.3:8443/", true),
            ("*:8443", "wss://10.1.2.3/", false),
            // Domains.
            ("shop.example", "wss://shop.example/", true),
            ("shop.example", "wss://www.shop.example/", true),
            ("op.example", "wss://shop.example/", false),
            ("www.shop.example", "wss://shop.example/", false),
            (".example", "wss://shop.example/", true),
            (".shop.example", "wss://shop.example/", true),
            ("*.example", "wss://shop.example/", true),
            ("*.example", "wss://a.shop.example/", true),
            ("*.shop.example", "wss://shop.example/", true),
            ("*.hop.example", "wss://shop.example/", false),
            ("*.EXAMPLE", "wss://shop.example/", true),
            ("Shop.Example", "wss://shop.example/", true),
            ("shop.example.", "wss://shop.example/", true),
            ("shop.example", "wss://shop.example./", true),
            ("münchen.example", "wss://xn--mnchen-3ya.example/", true),
            ("shop-*.example", "wss://shop-eu.example/", true),
            ("shop-*.example", "wss://shop.example/", false),
            // Ports.
            ("shop.example:443", "wss://shop.example/", true),
            ("shop.example:80", "ws://shop.example/", true),
            ("shop.example:8443", "wss://shop.example:8443/", true),
            ("shop.example:8443", "wss://shop.example/", false),
            (".example:8443", "wss://shop.example:8443/", true),
            ("*.example:8443", "wss://shop.example:8443/", true),
            ("*.example:8443", "wss://shop.example:9443/", false),
            ("10.1.2.3:8443", "wss://10.1.2.3:8443/", true),
            ("10.1.2.3:8443", "wss://10.1.2.3/", false),
            ("[fd00::1]:8443", "wss://[fd00::1]:8443/", true),
            ("[fd00::1]:8443", "wss://[fd00::1]/", false),
            ("shop.example:ftp", "wss://shop.example/", false),
            // Addresses and networks.
            ("10.1.2.3", "wss://10.1.2.3/", true),
            ("10.1.2.3", "wss://10.1.2.30/", false),
            ("10.1.2.3", "wss://[::ffff:10.1.2.3]/", true),
            ("10.0.0.0/8", "wss://10.1.2.3/", true),
            ("10.9.9.9/8", "wss://10.1.2.3/", true),
            ("10.0.0.0/8", "wss://11.1.2.3/", false),
            ("10.0.*", "wss://10.0.2.3/", true),
            ("10.0.*", "wss://10.1.2.3/", false),
            ("fd00::1", "wss://[fd00::1]/", true),
            ("FD00:0::1", "wss://[fd00::1]/", true),
            ("[fd00::1]", "wss://[fd00::1]/", true),
            ("fd00::/8", "wss://[fd00::1]/", true),
            ("fd00::/8", "wss://[fe00::1]/", false),
            // Lists.
            ("a.example,shop.example", "wss://shop.example/", true),
            (" a.example ,  shop.example ", "wss://shop.example/", true),
            ("a.example shop.example", "wss://shop.example/", true),
            (",,", "wss://shop.example/", false),
            ("", "wss://shop.example/", false),
        ] {
            let url = url::Url::parse(url).expect("a good URL");
            let host = url.host().expect("a host");
            let port = url.port_or_known_default().expect("a port");
            assert_eq!(excepts(no, &host, port), direct, "NO_PROXY={no} for {url}");
        }
    }

    /// What each becomes was tried with GLib 2.74.
    #[test]
    fn a_view_is_told_what_its_resolver_understands() {
        for (no, view) in [
            ("shop.example, .shop.example *.shop.example", &["shop.example"; 3][..]),
            ("Shop.Example.,münchen.example", &["shop.example", "xn--mnchen-3ya.example"]),
            ("shop.example:8443 .example:443", &["shop.example:8443", "example:443"]),
            ("10.1.2.3,10.1.2.3:8443", &["10.1.2.3", "10.1.2.3:8443"]),
            ("10.0.0.0/8,10.9.9.9/8", &["10.0.0.0/8", "10.0.0.0/8"]),
            ("10.0.*,10.*,10.0.0.*,10.0.*.*", &["10.0.0.0/16", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/16"]),
            (
                "fd00::1,[FD00:0::1],[fd00::1]:8443,fd00::/8",
                &["fd00::1", "fd00::1", "[fd00::1]:8443", "fd00::/8"],
            ),
            // It has no words for these.
            ("*:8443,10.0.0.0/8:8443,10.0.*:8443,shop-*.example,a.*.example,1*,10.*.1,300.*", &[]),
            ("shop.example:ftp,10.0.0.0/33,1.2.3.4.*,*.*,://", &[]),
            (" , ", &[]),
        ] {
            let view = view.iter().map(|entry| (*entry).to_owned()).collect();
            assert_eq!(for_glib(no), Some(view), "NO_PROXY={no}");
        }
        assert_eq!(for_glib("a.example, *"), None);
    }
}
