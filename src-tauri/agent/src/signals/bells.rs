//! What rings when the network changes or the machine wakes. Nothing polls, nothing needs a privilege, and what
//! can't be listened to is said once and done without.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use futures_util::StreamExt;
use rustix::event::Timespec;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use zbus::{MatchRule, MessageStream};

/// Changes of the network come in flocks; the first waits this long for the rest (W3). Too low: one change of
/// network counts as several; too high: a link on a dead address is noticed late.
const SETTLE: Duration = Duration::from_millis(500);

/// How long the system bus may take to answer.
const BUS: Duration = Duration::from_secs(10);

/// Rings that may wait for the main loop.
const QUEUE: usize = 8;

/// Netlink's multicast groups of IPv4 and IPv6 addresses and routes (`RTMGRP_*` in rtnetlink(7)).
const GROUPS: u32 = 0x10 | 0x40 | 0x100 | 0x400;

/// What rang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bell {
    /// Addresses or routes changed.
    Network,
    /// The machine woke, or somebody set the clock.
    Clock,
    /// logind: about to sleep (`true`), or woken.
    Logind { about_to_sleep: bool },
}

#[derive(Debug)]
pub(crate) struct Bells(mpsc::Receiver<Bell>);

impl Bells {
    /// Listens from now on, until dropped.
    pub(crate) fn listen() -> Self {
        let (rings, bells) = mpsc::channel(QUEUE);
        match netlink() {
            Ok(netlink) => drop(tokio::spawn(until_closed(rings.clone(), network(netlink, rings.clone())))),
            Err(error) => {
                tracing::info!(%error, "no word of network changes: a link on a lost address is noticed by its silence");
            }
        }
        match timer() {
            Ok(timer) => drop(tokio::spawn(until_closed(rings.clone(), clock(timer, rings.clone())))),
            Err(error) => tracing::info!(%error, "the kernel tells no wake"),
        }
        tokio::spawn(until_closed(rings.clone(), logind(rings)));
        Self(bells)
    }

    /// The next ring; never, where none can come any more.
    pub(crate) async fn ring(&mut self) -> Bell {
        match self.0.recv().await {
            Some(bell) => bell,
            None => std::future::pending().await,
        }
    }
}

async fn until_closed(rings: mpsc::Sender<Bell>, listening: impl Future<Output = ()>) {
    tokio::select! {
        () = rings.closed() => {}
        () = listening => {}
    }
}

fn netlink() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // No protocol is NETLINK_ROUTE, whose number is 0.
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    watched(socket)
}

/// Asks the runtime to tell when there is something to read.
fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe because other types may close the descriptor early; this type can't"
    )]
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

async fn network(netlink: AsyncFd<OwnedFd>, rings: mpsc::Sender<Bell>) {
    loop {
        if let Err(error) = wait_and_drain(&netlink).await {
            tracing::info!(%error, "no more word of network changes");
            return;
        }
        sleep(SETTLE).await;
        // What came meanwhile belongs to it.
        while matches!(drain(netlink.get_ref()), Ok(true)) {}
        if rings.send(Bell::Network).await.is_err() {
            return;
        }
    }
}

async fn wait_and_drain(netlink: &AsyncFd<OwnedFd>) -> io::Result<()> {
    loop {
        let mut ready = netlink.readable().await?;
        if let Ok(heard) = ready.try_io(|netlink| match drain(netlink.get_ref())? {
            true => Ok(()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }) {
            return heard;
        }
    }
}

/// Takes one message away, whatever it says: the facts are looked up afterwards. `false`: there was none.
fn drain(netlink: &OwnedFd) -> io::Result<bool> {
    let mut start = [0; 16];
    match rustix::net::recv(netlink, &mut start, RecvFlags::DONTWAIT) {
        // Too many at once for the kernel's queue: some news all the same.
        Ok(_) | Err(Errno::NOBUFS | Errno::INTR) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A timer that never ends, but which the kernel cancels when the machine wakes or its clock is set.
fn timer() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let timer = rustix::time::timerfd_create(TimerfdClockId::Realtime, flags)?;
    arm(&timer)?;
    watched(timer)
}

fn arm(timer: &OwnedFd) -> io::Result<()> {
    let never = Itimerspec {
        it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
        // The kernel's clocks end in the year 2262.
        it_value: Timespec { tv_sec: i64::MAX / 1_000_000_000, tv_nsec: 0 },
    };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    rustix::time::timerfd_settime(timer, flags, &never)?;
    Ok(())
}

async fn clock(timer: AsyncFd<OwnedFd>, rings: mpsc::Sender<Bell>) {
    loop {
        let Ok(mut ready) = timer.readable().await else { return };
        let read = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?));
        let Ok(read) = read else { continue };
        if let Err(error) = read
            && error.raw_os_error() != Some(Errno::CANCELED.raw_os_error())
        {
            tracing::info!(%error, "the kernel tells no more wakes");
            return;
        }
        if let Err(error) = arm(timer.get_ref()) {
            tracing::info!(%error, "the kernel tells no more wakes");
            return;
        }
        if rings.send(Bell::Clock).await.is_err() {
            return;
        }
    }
}

async fn logind(rings: mpsc::Sender<Bell>) {
    let mut stream = match timeout(BUS, prepare_for_sleep()).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%error, "no system bus, so logind can't tell of sleep; the clocks do");
            return;
        }
        Err(_) => {
            tracing::info!("the system bus does not answer, so logind can't tell of sleep; the clocks do");
            return;
        }
    };
    while let Some(Ok(message)) = stream.next().await {
        if let Ok(about_to_sleep) = message.body().deserialize::<bool>()
            && rings.send(Bell::Logind { about_to_sleep }).await.is_err()
        {
            return;
        }
    }
}

async fn prepare_for_sleep() -> zbus::Result<MessageStream> {
    let connection = zbus::Connection::system().await?;
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender("org.freedesktop.login1")?
        .path("/org/freedesktop/login1")?
        .interface("org.freedesktop.login1.Manager")?
        .member("PrepareForSleep")?
        .build();
    MessageStream::for_match_rule(rule, &connection, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_lets_us_listen_without_a_privilege() {
        let netlink = netlink().expect("netlink");
        assert!(!drain(netlink.get_ref()).expect("readable"), "no news, and no wait for it");
        let timer = timer().expect("a timer");
        let read = rustix::io::read(timer.get_ref(), &mut [0; 8]);
        assert_eq!(read, Err(Errno::AGAIN), "it runs, and does not end");
    }
}
