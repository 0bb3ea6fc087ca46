//! The way to a channel's server, as the kernel's routes have it: what a network change is judged by (W3).
//!
//! A change that leaves the way as it is, such as a container's interface or a VPN to elsewhere, is no news.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tidings_channel::{Config, Signal, State, Status};
use url::Host;

/// Addresses for documentation (RFC 5737, RFC 3849): nobody has them, so the way to them is the default one.
const ANYWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// Where a channel's server, or the proxy before it, may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// At the address that the URL names.
    At(IpAddr),
    /// The URL names a host, or a proxy is between: anywhere, and perhaps where the last link went.
    Anywhere { last: Option<IpAddr> },
    /// Where the present link goes.
    Link(IpAddr),
}

impl Target {
    /// Where a dial would go to, or the present link goes.
    pub(crate) fn of(config: &Config, status: &Status) -> Self {
        let last = status.route.map(|route| route.to.ip());
        match (&status.state, last) {
            (State::Connected { .. }, Some(to)) => Self::Link(to),
            (_, last) => {
                let before = Self::before(config);
                if let Self::Anywhere { .. } = before { Self::Anywhere { last } } else { before }
            }
        }
    }

    /// Where the first dial would go to.
    pub(crate) fn before(config: &Config) -> Self {
        match config.url.as_url().host() {
            Some(Host::Ipv4(address)) if config.proxy.is_none() => Self::At(address.into()),
            Some(Host::Ipv6(address)) if config.proxy.is_none() => Self::At(address.into()),
            Some(Host::Domain("localhost")) => Self::At(Ipv4Addr::LOCALHOST.into()),
            _ => Self::Anywhere { last: None },
        }
    }

    fn addresses(self) -> Vec<IpAddr> {
        match self {
            Self::At(address) | Self::Link(address) => vec![address],
            Self::Anywhere { last } => ANYWHERE.into_iter().chain(last).collect(),
        }
    }
}

/// The way to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    to: IpAddr,
    /// Our address on it; `None` where there is no way.
    from: Option<IpAddr>,
    /// Interface and next hop.
    hop: Option<String>,
}

/// The way to a server at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    ways: Vec<Way>,
    /// Doubt means `true`.
    online: bool,
}

impl Path {
    /// The way now.
    pub(crate) fn to(target: Target, routes: &Routes) -> Self {
        Self::judge(target, routes, source)
    }

    fn judge(target: Target, routes: &Routes, source: impl Fn(IpAddr) -> Option<IpAddr>) -> Self {
        let ways: Vec<Way> = target
            .addresses()
            .into_iter()
            .map(|to| match to.is_loopback() {
                // It is on this machine, wherever that is.
                true => Way { to, from: Some(to), hop: None },
                false => Way { to, from: source(to), hop: routes.hop(to) },
            })
            .collect();
        let found = ways.iter().any(|way| way.from.is_some());
        let online = match target {
            Target::At(_) => found,
            // A network without a default route may have the server all the same.
            Target::Anywhere { .. } | Target::Link(_) => found || routes.some(),
        };
        Self { ways, online }
    }

    /// What to tell the channel now, if anything. A way that nobody looked at before is no news.
    pub(crate) fn news(&self, now: &Self) -> Option<Signal> {
        let changed = |way: &Way| self.ways.iter().any(|before| before.to == way.to && before != way);
        let differs = self.online != now.online || now.ways.iter().any(changed);
        differs.then_some(Signal::NetworkChanged { online: now.online })
    }

    /// A number for the network that it begins in: by the interface, the router, and the router's hardware address, for most routers at home
    /// have the same few addresses. `None`: none is known.
    pub(crate) fn network(&self, routes: &Routes) -> Option<u64> {
        if self.ways.iter().any(|way| way.to.is_loopback()) {
            return Some(0);
        }
        routes.network(&std::fs::read_to_string("/proc/net/arp").unwrap_or_default())
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

/// Interface and IPv4 address of the router that is the next hop, if one is.
fn router(hop: &str) -> Option<(&str, Ipv4Addr)> {
    let (interface, router) = hop.split_once(' ')?;
    let router = Ipv4Addr::from(u32::from_str_radix(router, 16).ok()?.to_ne_bytes());
    (!router.is_unspecified()).then_some((interface, router))
}

/// A router's hardware address, from the text of the kernel's table of neighbours (`net/ipv4/arp.c`), if it is there.
fn hardware<'a>(interface: &str, router: Ipv4Addr, neighbours: &'a str) -> Option<&'a str> {
    let router = router.to_string();
    neighbours.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let &[address, _, _, hardware, _, on] = columns.as_slice() else { return None };
        // All zero: it is being asked for.
        let is_known = hardware.bytes().any(|byte| !matches!(byte, b'0' | b':'));
        (address == router && on == interface && is_known).then_some(hardware)
    })
}

/// Whether the link's address is one that this machine no longer has. The link's own driver looks closer.
pub(crate) fn lost_its_address(status: &Status) -> bool {
    let State::Connected { .. } = status.state else { return false };
    status.route.is_some_and(|route| {
        let mut from = route.from;
        from.set_port(0);
        UdpSocket::bind(from).is_err()
    })
}

/// The kernel's main routing tables, as far as they matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Routes(Vec<Route>);

/// A route to some network beyond this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    network: IpAddr,
    /// Bits of the network.
    length: u32,
    /// Interface and next hop.
    hop: String,
    metric: u32,
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
        let four = four.lines().skip(1).filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let &[interface, destination, gateway, _, _, _, metric, mask, ..] = columns.as_slice() else {
                return None;
            };
            Some(Route {
                // The bytes stand in memory as on the wire, and are printed as one number.
                network: Ipv4Addr::from(u32::from_str_radix(destination, 16).ok()?.to_ne_bytes()).into(),
                length: u32::from_str_radix(mask, 16).ok()?.count_ones(),
                hop: format!("{interface} {gateway}"),
                metric: metric.parse().ok()?,
            })
        });
        let six = six.lines().filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let &[destination, length, _, _, gateway, metric, _, _, _, interface] = columns.as_slice() else {
                return None;
            };
            // Link-local and multicast are everywhere, and so is the route of last resort on `lo`.
            let everywhere = destination.starts_with("fe80") || destination.starts_with("ff");
            (interface != "lo" && !everywhere).then_some(Route {
                network: Ipv6Addr::from(u128::from_str_radix(destination, 16).ok()?).into(),
                length: u32::from_str_radix(length, 16).ok()?,
                hop: format!("{interface} {gateway}"),
                metric: u32::from_str_radix(metric, 16).ok()?,
            })
        });
        Self(four.chain(six).collect())
    }

    /// There is a network beyond this machine.
    fn some(&self) -> bool {
        !self.0.is_empty()
    }

    /// The default route's: whoever reaches the server by another one is in that network all the same.
    fn network(&self, neighbours: &str) -> Option<u64> {
        let hop = ANYWHERE.iter().find_map(|to| self.hop(*to))?;
        // Any other has an address of its own, or there is none.
        let hardware = match router(&hop) {
            Some((interface, router)) => Some(hardware(interface, router, neighbours)?),
            None => None,
        };
        let mut hasher = DefaultHasher::new();
        (&hop, hardware).hash(&mut hasher);
        Some(hasher.finish())
    }

    /// Interface and next hop of the best route.
    fn hop(&self, to: IpAddr) -> Option<String> {
        let best = self
            .0
            .iter()
            .filter(|route| route.leads(to))
            .min_by_key(|route| (std::cmp::Reverse(route.length), route.metric));
        best.map(|route| route.hop.clone())
    }
}

impl Route {
    fn leads(&self, to: IpAddr) -> bool {
        // A shift by all bits of the number leaves nothing, as it should.
        match (self.network, to) {
            (IpAddr::V4(network), IpAddr::V4(to)) => {
                let shift = 32_u32.saturating_sub(self.length);
                network.to_bits().checked_shr(shift) == to.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(to)) => {
                let shift = 128_u32.saturating_sub(self.length);
                network.to_bits().checked_shr(shift) == to.to_bits().checked_shr(shift)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tidings_channel::ChannelUrl;

    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    const WIFI: &str = "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
    const CABLE: &str = "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    const CONTAINERS: &str = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
    /// To 10.0.0.0/8.
    const VPN: &str = "tun0\t0000000A\t00000000\t0001\t0\t0\t50\t000000FF\t0\t0\t0\n";
    const SIX: &str = "\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003    wlan0\n\
        fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001    wlan0\n\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";

    const SERVER: &str = "10.1.2.3";

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn routes(four: &[&str], six: &str) -> Routes {
        Routes::parse(&(HEAD.to_owned() + &four.concat()), six)
    }

    /// The way over these routes; this machine has `from` on every interface.
    fn way(target: Target, four: &[&str], from: &str) -> Path {
        let routes = routes(four, "");
        Path::judge(target, &routes, |to| routes.hop(to).map(|_| ip(from)))
    }

    const SOMEWHERE: Target = Target::Anywhere { last: None };

    #[test]
    fn the_longest_and_then_the_cheapest_route_leads() {
        let all = routes(&[WIFI, CABLE, CONTAINERS, VPN], SIX);
        assert_eq!(all.hop(ip("203.0.113.5")).as_deref(), Some("eth0 010200C0"));
        assert_eq!(all.hop(ip("172.17.3.4")).as_deref(), Some("docker0 00000000"));
        assert_eq!(all.hop(ip(SERVER)).as_deref(), Some("tun0 00000000"));
        assert_eq!(all.hop(ip("2001:db8::7")).as_deref(), Some("wlan0 fe800000000000000000000000000001"));
        assert_eq!(routes(&[CONTAINERS], "").hop(ip("203.0.113.5")), None);
    }

    #[test]
    fn what_no_kernel_writes_is_passed_over() {
        let odd = Routes::parse(
            "\n\nx y z\neth0 00000000 0 0 0 0 many 00000000\neth0 0 0 0 0 0 1 0 \n",
            "\n1 2 3\n\u{0}\nffff0 ff 0 0 0 0 0 0 0 eth0\n1 ffffff 0 0 0 0 0 0 0 eth0\n",
        );
        assert_eq!(odd.hop(ip("::2")), None);
    }

    const ONLINE: Option<Signal> = Some(Signal::NetworkChanged { online: true });

    #[test]
    fn containers_and_a_spare_network_are_no_news() {
        let before = way(SOMEWHERE, &[CABLE], "192.0.2.9");
        for now in [&[CABLE, CONTAINERS][..], &[CABLE, WIFI], &[CABLE, VPN]] {
            assert_eq!(before.news(&way(SOMEWHERE, now, "192.0.2.9")), None, "{now:?}");
        }
    }

    #[test]
    fn another_address_another_gateway_or_none_is_news() {
        let before = way(SOMEWHERE, &[CABLE], "192.0.2.9");
        assert_eq!(before.news(&way(SOMEWHERE, &[CABLE], "192.0.2.8")), ONLINE);
        assert_eq!(before.news(&way(SOMEWHERE, &[WIFI], "192.0.2.9")), ONLINE);
        let gone = way(SOMEWHERE, &[], "192.0.2.9");
        assert_eq!(before.news(&gone), Some(Signal::NetworkChanged { online: false }));
        assert_eq!(gone.news(&before), ONLINE);
    }

    #[test]
    fn a_network_is_known_by_its_router() {
        const TABLE: &str =
            "IP address       HW type     Flags       HW address            Mask     Device\n";
        let home =
            format!("{TABLE}192.168.0.1      0x1         0x2         00:11:22:33:44:55     *        wlan0\n");
        let cafe = home.replace("44:55", "66:77");
        let asked_for = home.replace("00:11:22:33:44:55", "00:00:00:00:00:00");
        let network = |four: &[&str], neighbours: &str| routes(four, "").network(neighbours);
        let here = network(&[WIFI], &home);
        assert!(here.is_some());
        assert_eq!(network(&[WIFI, CONTAINERS, VPN], &home), here);
        assert_ne!(network(&[WIFI], &cafe), here, "the same numbers elsewhere");
        assert_eq!(network(&[WIFI], &asked_for), None, "nobody knows yet");
        assert_eq!(network(&[], &home), None);
        assert!(routes(&[], SIX).network("").is_some(), "the router's address is its own");
        let nowhere = Routes::default();
        assert_eq!(Path::to(Target::At(ip("127.0.0.1")), &nowhere).network(&nowhere), Some(0));
    }

    #[test]
    fn a_link_through_a_vpn_heeds_the_vpn_and_nothing_else() {
        let link = Target::Link(ip(SERVER));
        let before = way(link, &[CABLE, VPN], "10.0.0.9");
        assert_eq!(before.news(&way(link, &[WIFI, VPN], "10.0.0.9")), None);
        assert_eq!(before.news(&way(link, &[VPN], "10.0.0.9")), None);
        assert_eq!(before.news(&way(link, &[CABLE, VPN], "10.0.0.8")), ONLINE);
        assert_eq!(before.news(&way(link, &[CABLE], "10.0.0.9")), ONLINE, "doubt means online");
    }

    #[test]
    fn a_vpn_that_comes_back_is_news_to_who_waits_for_it() {
        let waits = Target::Anywhere { last: Some(ip(SERVER)) };
        let before = way(waits, &[CABLE], "192.0.2.9");
        assert_eq!(before.news(&way(waits, &[CABLE, VPN], "192.0.2.9")), ONLINE);
    }

    #[test]
    fn a_network_without_a_default_route_may_have_the_server() {
        assert!(way(SOMEWHERE, &[CONTAINERS], "172.17.0.1").is_there(), "doubt means online");
        let address = Target::At(ip("203.0.113.5"));
        assert!(!way(address, &[CONTAINERS], "172.17.0.1").is_there(), "here there is no doubt");
    }

    fn status(state: State, to: Option<&str>) -> Status {
        let (channel, _frames) = tidings_channel::Channel::spawn(
            Config::new(url("ws://localhost/")),
            tidings_channel::Start::Disconnected,
            tidings_channel::DialParams::default(),
        );
        let route = to.map(|to| tidings_channel::Route {
            from: SocketAddr::new(ip("127.0.0.1"), 1),
            to: SocketAddr::new(ip(to), 443),
        });
        let seen = channel.status();
        let seen = seen.borrow().clone();
        Status { state, route, ..seen }
    }

    fn url(text: &str) -> ChannelUrl {
        ChannelUrl::parse(text, true).expect("a good URL")
    }

    #[tokio::test]
    async fn a_link_is_where_it_goes_and_a_dial_where_the_url_says() {
        let since = SystemTime::UNIX_EPOCH;
        let (up, off) = (State::Connected { since }, State::Disconnected { since });
        let (named, at) = (Config::new(url("wss://shop.example/")), Config::new(url("wss://203.0.113.5/")));
        let last = Some(ip(SERVER));
        for (config, state, to, target) in [
            (&named, &up, Some(SERVER), Target::Link(ip(SERVER))),
            (&named, &off, Some(SERVER), Target::Anywhere { last }),
            (&named, &off, None, Target::Anywhere { last: None }),
            (&at, &off, None, Target::At(ip("203.0.113.5"))),
        ] {
            assert_eq!(Target::of(config, &status(state.clone(), to)), target);
        }
        let proxy = tidings_channel::ProxyUrl::parse("socks5://10.9.9.9:1080").ok();
        let behind = Config { proxy, ..at };
        assert_eq!(Target::of(&behind, &status(off, None)), Target::Anywhere { last: None });
    }

    #[test]
    fn a_server_on_this_machine_is_never_moved_nor_gone() {
        for local in ["127.0.0.1", "::1"] {
            let before = way(Target::At(ip(local)), &[CABLE], "192.0.2.9");
            assert_eq!(before.news(&way(Target::At(ip(local)), &[], "192.0.2.9")), None, "{local}");
            assert!(before.is_there(), "{local}");
        }
    }
}
