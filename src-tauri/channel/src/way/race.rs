//! From a host to one connected TCP stream: the name lookup, and the race of its addresses (RFC 8305).

use std::io;
use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use url::Host;

use crate::way::patience::within;
use crate::{Cause, Detail, Stage, Timing};

/// Asks for a name's addresses; the system's resolver in real life, something broken in tests.
pub(crate) type Resolve = fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// The system's resolver.
pub(crate) fn system(name: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { Ok(lookup_host((name.as_str(), port)).await?.collect()) })
}

/// The addresses of `host`, at least one.
pub(crate) async fn lookup(
    resolve: Resolve,
    host: Host<&str>,
    port: u16,
    timing: &Timing,
) -> Result<Vec<SocketAddr>, Cause> {
    let found = match host {
        Host::Ipv4(address) => return Ok(vec![(IpAddr::V4(address), port).into()]),
        Host::Ipv6(address) => return Ok(vec![(IpAddr::V6(address), port).into()]),
        Host::Domain(name) => {
            let found = within(timing.lookup, Stage::Lookup, resolve(name.to_owned(), port)).await?;
            found.map_err(|error| Cause::Lookup { detail: Detail::of_lookup(&error) })?
        }
    };
    if found.is_empty() {
        return Err(Cause::Lookup { detail: Detail::NoAddress });
    }
    Ok(found)
}

/// The first of `addresses` that lets itself be connected (D1). `failed` hears of each that doesn't.
pub(crate) async fn connect_any(
    addresses: Vec<SocketAddr>,
    timing: &Timing,
    failed: impl FnMut(SocketAddr),
) -> Result<TcpStream, Cause> {
    race(addresses, timing, TcpStream::connect, failed).await
}

/// Tries one address after the other, the next after a while or at once where one fails. The first success
/// wins and the others are dropped; where all fail, the last failure counts.
async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    timing: &Timing,
    connect: impl Fn(SocketAddr) -> F,
    mut failed: impl FnMut(SocketAddr),
) -> Result<T, Cause>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = interleaved(addresses).into_iter();
    let mut running = FuturesUnordered::new();
    let mut failure = Cause::Unreachable { detail: Detail::NoAddress };
    loop {
        match waiting.next() {
            Some(address) => {
                let attempt = within(timing.connect, Stage::Tcp, connect(address));
                running.push(async move { (address, attempt.await) });
            }
            None if running.is_empty() => return Err(failure),
            None => {}
        }
        tokio::select! {
            Some((address, ended)) = running.next() => {
                failure = match ended {
                    Ok(Ok(stream)) => return Ok(stream),
                    Ok(Err(error)) => Cause::Unreachable { detail: Detail::of_io(&error) },
                    Err(timed_out) => timed_out,
                };
                tracing::debug!(%address, cause = %failure, "address failed");
                failed(address);
            }
            () = tokio::time::sleep(timing.stagger), if waiting.len() > 0 => {}
        }
    }
}

/// Families taken in turns, beginning with the first address's (RFC 8305, section 4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let v6_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == v6_first);
    let (mut first, mut other) = (first.into_iter(), other.into_iter());
    std::iter::from_fn(|| Some([first.next(), other.next()]))
        .take_while(|pair| pair.iter().any(Option::is_some))
        .flatten()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    const DEAD: &str = "[2001:db8::1]:443";
    const REFUSING: &str = "[2001:db8::2]:443";
    const ALIVE: &str = "192.0.2.1:443";

    /// How each address of the tests behaves.
    async fn behave(address: SocketAddr) -> io::Result<SocketAddr> {
        match address.to_string().as_str() {
            DEAD => std::future::pending().await,
            REFUSING => Err(io::ErrorKind::ConnectionRefused.into()),
            _ => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(address)
            }
        }
    }

    /// Who won, and after how many milliseconds.
    async fn raced(texts: &[&str]) -> (Result<String, Cause>, u128) {
        let began = Instant::now();
        let won = race(addresses(texts), &Timing::default(), behave, |_| {}).await;
        (won.map(|address| address.to_string()), began.elapsed().as_millis())
    }

    #[test]
    fn families_take_turns() {
        let mixed = ["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"];
        let turns = ["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"];
        assert_eq!(interleaved(addresses(&mixed)), addresses(&turns));
        assert_eq!(interleaved(addresses(&["1.0.0.1:1", "[::1]:1"])), addresses(&["1.0.0.1:1", "[::1]:1"]));
        assert_eq!(interleaved(Vec::new()), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_ipv6_costs_at_most_300_ms() {
        let (won, millis) = raced(&[DEAD, ALIVE]).await;
        assert_eq!(won.as_deref(), Ok(ALIVE));
        assert!(millis <= 300, "{millis} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refuses_costs_nothing() {
        let (won, millis) = raced(&[REFUSING, ALIVE]).await;
        assert_eq!(won.as_deref(), Ok(ALIVE));
        assert!(millis < 50, "{millis} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn the_other_family_comes_second_though_named_last() {
        let dead = ["[2001:db8::1]:443", "[2001:db8::1]:443", "[2001:db8::1]:443", ALIVE];
        assert!(raced(&dead).await.1 <= 300);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_is_given_up_after_10_s_and_all_failures_are_told() {
        let (won, millis) = raced(&[DEAD]).await;
        assert_eq!(won, Err(Cause::TimedOut { stage: Stage::Tcp }));
        assert_eq!(millis / 1000, 10);
        let (won, _) = raced(&[REFUSING, REFUSING]).await;
        assert_eq!(won.expect_err("refused").to_string(), "server not reachable (connection refused)");
        assert!(raced(&[]).await.0.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn losers_are_closed() {
        struct Socket<'a>(&'a RefCell<i32>);
        impl Drop for Socket<'_> {
            fn drop(&mut self) {
                *self.0.borrow_mut() -= 1;
            }
        }
        let open = RefCell::new(0);
        let connect = |address: SocketAddr| {
            *open.borrow_mut() += 1;
            let socket = Socket(&open);
            async move { behave(address).await.map(|_| socket) }
        };
        let won = race(addresses(&[DEAD, ALIVE, DEAD]), &Timing::default(), connect, |_| {}).await;
        assert_eq!(*open.borrow(), 1, "only the winner is left");
        drop(won);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_lookup_that_hangs_is_given_up_after_5_s() {
        let began = Instant::now();
        let hangs: Resolve = |_, _| Box::pin(std::future::pending());
        let failure = lookup(hangs, Host::Domain("shop.example"), 443, &Timing::default()).await;
        assert_eq!(failure, Err(Cause::TimedOut { stage: Stage::Lookup }));
        assert_eq!(began.elapsed().as_secs(), 5);
    }

    #[tokio::test]
    async fn an_address_needs_no_lookup_and_a_name_without_any_is_told() {
        let broken: Resolve = |_, _| Box::pin(async { Err(io::Error::other("Name or service not known")) });
        let none: Resolve = |_, _| Box::pin(async { Ok(Vec::new()) });
        let timing = Timing::default();
        let address = Host::Ipv6("::1".parse().expect("an address"));
        assert_eq!(lookup(broken, address, 443, &timing).await, Ok(addresses(&["[::1]:443"])));
        for (resolve, words) in [(broken, "no such name"), (none, "no address")] {
            let failure = lookup(resolve, Host::Domain("x"), 443, &timing).await.expect_err("no address");
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }
}
