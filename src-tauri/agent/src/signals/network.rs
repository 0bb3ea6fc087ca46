//! The way to a channel's server, as the kernel's routes have it: what a network change is judged by (W3).
//!
//! A change that leaves the way as it is, such as a container's interface or a VPN to elsewhere, is no news.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tidings_channel::{ChannelUrl, Signal};

/// Addresses for documentation (RFC 5737, RFC 3849): nobody has them, so the way to them is the default one.
const ANYWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// Where a channel's server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The URL names an address.
    At(IpAddr),
    /// The URL names a host: anywhere.
    Named,
}

impl Target {
    pub(crate) fn of(url: &ChannelUrl) -> Self {
        match url.as_url().host() {
            Some(url::Host::Ipv4(address)) => Self::At(address.into()),
            Some(url::Host::Ipv6(address)) => Self::At(address.into()),
            Some(url::Host::Domain("localhost")) => Self::At(Ipv4Addr::LOCALHOST.into()),
            Some(url::Host::Domain(_)) | None => Self::Named,
        }
    }
}

/// The way to a server at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Our address on that way, by address family for a named server; `None` where there is no way.
    from: Vec<Option<IpAddr>>,
    /// Our addresses on earlier ways that this machine still has: a link may yet go out from them.
    earlier: Vec<IpAddr>,
    /// Interface and next hop of the best default routes.
    gateways: Vec<String>,
    /// Doubt means `true`.
    online: bool,
}

impl Path {
    /// The way now.
    pub(crate) fn to(target: Target, routes: &Routes) -> Self {
        let from = match target {
            Target::At(address) => vec![source(address)],
            Target::Named => ANYWHERE.map(source).to_vec(),
        };
        Self::judge(target, from, routes)
    }

    /// Takes up the way as it is `now`, and answers with what to tell the channel, if anything.
    pub(crate) fn take_up(&mut self, now: Self) -> Option<Signal> {
        self.follow(now, is_ours)
    }

    fn follow(&mut self, mut now: Self, is_ours: impl Fn(IpAddr) -> bool) -> Option<Signal> {
        let before = std::mem::take(&mut self.earlier);
        let known = before.len();
        now.earlier = before.into_iter().filter(|address| is_ours(*address)).collect();
        let lost_one = now.earlier.len() < known;
        let differs =
            lost_one || self.from != now.from || self.gateways != now.gateways || self.online != now.online;
        for address in self.from.iter().flatten() {
            if !now.from.contains(&Some(*address)) && !now.earlier.contains(address) && is_ours(*address) {
                now.earlier.push(*address);
            }
        }
        *self = now;
        differs.then_some(Signal::NetworkChanged { online: self.online })
    }

    fn judge(target: Target, from: Vec<Option<IpAddr>>, routes: &Routes) -> Self {
        let found = from.iter().any(Option::is_some);
        let (online, gateways) = match target {
            // It is on this machine, wherever that is.
            Target::At(address) if address.is_loopback() => (true, Vec::new()),
            Target::At(_) => (found, routes.gateways.clone()),
            // A network without a default route may have the server all the same.
            Target::Named => (found || routes.some, routes.gateways.clone()),
        };
        Self { from, earlier: Vec::new(), gateways, online }
    }

    /// Whether there seems to be one.
    pub(crate) fn is_there(&self) -> bool {
        self.online
    }
}

/// The address that the kernel would send from; nothing is sent.
fn source(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    // Any port: 9 is "discard".
    socket.connect(SocketAddr::new(to, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Whether this machine has that address.
fn is_ours(address: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

/// The kernel's main routing tables, as far as they matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Routes {
    gateways: Vec<String>,
    /// There is a route to some network beyond this machine.
    some: bool,
}

impl Routes {
    /// As they are now.
    pub(crate) fn look() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        Self::parse(&read("/proc/net/route"), &read("/proc/net/ipv6_route"))
    }

    /// From the texts of the kernel's two files (their columns: `Documentation/networking/proc_net_*`, and the
    /// kernel's `net/ipv4/fib_trie.c` and `net/ipv6/route.c`).
    fn parse(four: &str, six: &str) -> Self {
        let mut routes = Self::default();
        let four = four.lines().skip(1).filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let &[interface, destination, gateway, _, _, _, metric, mask, ..] = columns.as_slice() else {
                return None;
            };
            Some(Route {
                interface,
                gateway,
                is_default: is_zero(destination) && is_zero(mask),
                metric: metric.parse().ok()?,
            })
        });
        routes.take(four);
        let six = six.lines().filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let &[destination, length, _, _, gateway, metric, _, _, _, interface] = columns.as_slice() else {
                return None;
            };
            // Link-local and multicast are everywhere, and so is the route of last resort on `lo`.
            let everywhere = destination.starts_with("fe80") || destination.starts_with("ff");
            (interface != "lo" && !everywhere).then_some(Route {
                interface,
                gateway,
                is_default: is_zero(destination) && is_zero(length),
                metric: u32::from_str_radix(metric, 16).ok()?,
            })
        });
        routes.take(six);
        routes
    }

    fn take<'a>(&mut self, found: impl Iterator<Item = Route<'a>>) {
        let found: Vec<_> = found.collect();
        self.some |= !found.is_empty();
        let best = found.iter().filter(|route| route.is_default).min_by_key(|route| route.metric);
        self.gateways.extend(best.map(|route| format!("{} {}", route.interface, route.gateway)));
    }
}

struct Route<'a> {
    interface: &'a str,
    gateway: &'a str,
    is_default: bool,
    metric: u32,
}

fn is_zero(hex: &str) -> bool {
    !hex.is_empty() && hex.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    const WIFI: &str = "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
    const CABLE: &str = "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    const CONTAINERS: &str = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
    const SIX: &str = "\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003    wlan0\n\
        fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001    wlan0\n\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";

    fn routes(four: &[&str], six: &str) -> Routes {
        Routes::parse(&(HEAD.to_owned() + &four.concat()), six)
    }

    fn named(from: [Option<&str>; 2], routes: &Routes) -> Path {
        let from = from.map(|text| text.map(|text| text.parse().expect("an address")));
        Path::judge(Target::Named, from.to_vec(), routes)
    }

    #[test]
    fn the_best_default_route_of_each_family_counts() {
        let both = routes(&[WIFI, CABLE, CONTAINERS], SIX);
        assert_eq!(both.gateways, ["eth0 010200C0", "wlan0 fe800000000000000000000000000001"]);
        assert_eq!(routes(&[CONTAINERS], "").gateways, Vec::<String>::new());
    }

    #[test]
    fn what_no_kernel_writes_is_passed_over() {
        let odd = Routes::parse("\n\nx y z\neth0 00000000 0 0 0 0 many 00000000\n", "\n1 2 3\n\u{0}");
        assert_eq!(odd, Routes::default());
    }

    const ONLINE: Option<Signal> = Some(Signal::NetworkChanged { online: true });

    /// What a channel is told when its way changes, all old addresses being still there.
    fn news(before: &Path, now: &Path) -> Option<Signal> {
        before.clone().follow(now.clone(), |_| true)
    }

    #[test]
    fn containers_and_a_spare_network_are_no_news() {
        let from = [Some("192.0.2.9"), None];
        let before = named(from, &routes(&[CABLE], ""));
        assert_eq!(news(&before, &named(from, &routes(&[CABLE, CONTAINERS], ""))), None);
        assert_eq!(news(&before, &named(from, &routes(&[CABLE, WIFI], ""))), None);
    }

    #[test]
    fn another_address_another_gateway_or_none_is_news() {
        let before = named([Some("192.0.2.9"), None], &routes(&[CABLE], ""));
        let moved = named([Some("192.0.2.8"), None], &routes(&[CABLE], ""));
        assert_eq!(news(&before, &moved), ONLINE);
        let other_way = named([Some("192.0.2.9"), None], &routes(&[WIFI], ""));
        assert_eq!(news(&before, &other_way), ONLINE);
        let gone = named([None, None], &routes(&[], ""));
        assert_eq!(news(&before, &gone), Some(Signal::NetworkChanged { online: false }));
        assert_eq!(news(&gone, &before), ONLINE);
    }

    #[test]
    fn the_loss_of_an_address_that_a_link_may_still_use_is_news() {
        let wifi = named([Some("192.0.2.9"), None], &routes(&[WIFI], ""));
        let cable = named([Some("192.0.2.8"), None], &routes(&[CABLE, WIFI], ""));
        let mut path = wifi;
        assert_eq!(path.follow(cable.clone(), |_| true), ONLINE, "the cable is better");
        assert_eq!(path.follow(cable.clone(), |_| true), None, "a link over the other network goes on");
        assert_eq!(path.follow(cable.clone(), |_| false), ONLINE, "which is lost now");
        assert_eq!(path.follow(cable, |_| false), None);
    }

    #[test]
    fn a_network_without_a_default_route_may_have_the_server() {
        let only_local = routes(&[CONTAINERS], "");
        assert!(named([None, None], &only_local).is_there(), "doubt means online");
        let address = Target::At("203.0.113.5".parse().expect("an address"));
        assert!(!Path::judge(address, vec![None], &only_local).is_there(), "here there is no doubt");
    }

    #[test]
    fn a_server_on_this_machine_is_never_moved_nor_gone() {
        let url = |text| ChannelUrl::parse(text, true).expect("a good URL");
        for local in ["ws://127.0.0.1:9/", "ws://localhost/", "ws://[::1]/"] {
            let target = Target::of(&url(local));
            let before = Path::to(target, &routes(&[CABLE], SIX));
            assert_eq!(before.clone().take_up(Path::to(target, &routes(&[], ""))), None, "{local}");
            assert!(before.is_there(), "{local}");
        }
        assert_eq!(Target::of(&url("wss://shop.example/")), Target::Named);
    }
}
