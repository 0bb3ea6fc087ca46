//! Which addresses of a host answered TCP and then led nowhere (D1). A race knows nothing of what comes after it: without
//! this, the first to answer would be taken at every dial though it never serves.
//!
//! An address is doubted from the moment it fails or is connected until a link is up there, and for a while. The doubted ones
//! are tried when no other is left.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

/// Of one channel. Bounded by the addresses of its host.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    /// What the last lookup found.
    found: Vec<SocketAddr>,
    doubted: Vec<(SocketAddr, Instant)>,
}

impl Doubts {
    /// Takes in what a lookup found; first what there is no doubt of, then the others. Doubts older than `keep` are
    /// forgotten, and so are all where none is left without.
    pub(crate) fn sort(
        &mut self,
        found: &[SocketAddr],
        keep: Duration,
    ) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
        self.found = found.to_vec();
        self.doubted.retain(|(address, since)| found.contains(address) && since.elapsed() < keep);
        if !self.has_another() {
            self.forget();
        }
        found.iter().copied().partition(|address| !self.is_doubted(address))
    }

    /// This address failed, or is connected, and whether it leads anywhere is to be seen.
    pub(crate) fn doubt(&mut self, address: SocketAddr) {
        self.serves(address);
        self.doubted.push((address, Instant::now()));
    }

    /// It does.
    pub(crate) fn serves(&mut self, address: SocketAddr) {
        self.doubted.retain(|(doubted, _)| *doubted != address);
    }

    /// Another network: what failed there may work here.
    pub(crate) fn forget(&mut self) {
        self.doubted.clear();
    }

    /// Whether there is an address that hasn't failed.
    pub(crate) fn has_another(&self) -> bool {
        self.found.iter().any(|address| !self.is_doubted(address))
    }

    fn is_doubted(&self, address: &SocketAddr) -> bool {
        self.doubted.iter().any(|(doubted, _)| doubted == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(3600);

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_after_tcp_is_tried_last_until_that_is_forgotten() {
        let found = addresses(&["[::1]:443", "127.0.0.1:443"]);
        let (v6, v4) = (found[0], found[1]);
        let mut doubts = Doubts::default();
        assert_eq!(doubts.sort(&found, KEEP), (found.clone(), vec![]));
        doubts.doubt(v6);
        assert!(doubts.has_another());
        assert_eq!(doubts.sort(&found, KEEP), (vec![v4], vec![v6]));
        doubts.doubt(v4);
        assert!(!doubts.has_another());
        assert_eq!(doubts.sort(&found, KEEP), (found.clone(), vec![]), "all failed: they begin anew");

        doubts.doubt(v6);
        doubts.serves(v6);
        assert_eq!(doubts.sort(&found, KEEP), (found.clone(), vec![]), "it serves after all");
        doubts.doubt(v6);
        doubts.forget();
        assert_eq!(doubts.sort(&found, KEEP), (found.clone(), vec![]), "another network");
        doubts.doubt(v6);
        tokio::time::advance(KEEP).await;
        assert_eq!(doubts.sort(&found, KEEP), (found.clone(), vec![]), "long ago");
    }

    #[test]
    fn it_keeps_no_more_than_the_host_has() {
        let mut doubts = Doubts::default();
        for port in 1..=10_000 {
            let found = [SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::from(([127, 0, 0, 2], port))];
            doubts.sort(&found, KEEP);
            doubts.doubt(found[0]);
            doubts.doubt(found[0]);
        }
        assert_eq!((doubts.found.len(), doubts.doubted.len()), (2, 1));
    }
}
