//! The driver's one timer. The runtime's own timers are kept in coarse slots that become finer as time comes near: one
//! of 30 s wakes the machine three times. A timer of the kernel's wakes it once, so that is used where there is one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

#[cfg(target_os = "linux")]
use kernel::Timer;

/// Rings once it is time.
#[derive(Debug)]
pub(crate) enum Alarm {
    #[cfg(target_os = "linux")]
    Kernel(Timer),
    /// Follows the runtime's clock, also one that a test has paused.
    Runtime(Pin<Box<Sleep>>),
}

impl Alarm {
    /// The kernel's, if it has one left. Needs a runtime that watches sockets, as every link does.
    pub(crate) fn new() -> Self {
        #[cfg(target_os = "linux")]
        match Timer::new() {
            Ok(timer) => return Self::Kernel(timer),
            Err(error) => tracing::debug!(%error, "no timer of the kernel's"),
        }
        Self::of_runtime()
    }

    pub(crate) fn of_runtime() -> Self {
        Self::Runtime(Box::pin(tokio::time::sleep(Duration::ZERO)))
    }

    /// Ready at that time. Asked for another time, it forgets the one before.
    pub(crate) fn poll_at(&mut self, cx: &mut Context<'_>, time: Instant) -> Poll<()> {
        loop {
            match self {
                #[cfg(target_os = "linux")]
                Self::Kernel(timer) => match timer.poll_at(cx, time) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) => return Poll::Ready(()),
                    Poll::Ready(Err(error)) => {
                        tracing::warn!(%error, "the kernel's timer fails; the runtime's does its work");
                        *self = Self::of_runtime();
                    }
                },
                Self::Runtime(sleep) => {
                    if sleep.deadline() != time {
                        sleep.as_mut().reset(time);
                    }
                    return sleep.as_mut().poll(cx);
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use rustix::event::Timespec;
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    /// A timerfd(2).
    #[derive(Debug)]
    pub(crate) struct Timer {
        descriptor: AsyncFd<OwnedFd>,
        /// What it is set to.
        set: Option<Instant>,
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe because other types may close the descriptor early; this type can't"
            )]
            let descriptor = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self { descriptor, set: None })
        }

        pub(super) fn poll_at(&mut self, cx: &mut Context<'_>, time: Instant) -> Poll<io::Result<()>> {
            if self.set != Some(time) {
                let left = time.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Poll::Ready(Ok(()));
                }
                self.set = None;
                arm(self.descriptor.get_ref(), left)?;
                self.set = Some(time);
            }
            loop {
                let mut ready = ready!(self.descriptor.poll_read_ready(cx))?;
                let read = |timer: &AsyncFd<OwnedFd>| Ok(rustix::io::read(timer.get_ref(), &mut [0; 8])?);
                // That it rang for an earlier time is no longer to be read.
                if let Ok(read) = ready.try_io(read) {
                    self.set = None;
                    return Poll::Ready(read.map(drop));
                }
            }
        }
    }

    fn arm(timer: &OwnedFd, left: Duration) -> io::Result<()> {
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            },
        };
        rustix::time::timerfd_settime(timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3600);

    async fn rings(alarm: &mut Alarm, time: Instant) {
        poll_fn(|cx| alarm.poll_at(cx, time)).await;
    }

    async fn each(test: impl AsyncFn(Alarm)) {
        let alarms = [Alarm::new(), Alarm::of_runtime()];
        #[cfg(target_os = "linux")]
        assert!(matches!(alarms[0], Alarm::Kernel(_)));
        for alarm in alarms {
            test(alarm).await;
        }
    }

    #[tokio::test]
    async fn it_rings_in_time_and_never_too_early() {
        each(async |mut alarm| {
            for _ in 0..3 {
                let time = Instant::now() + SHORT;
                rings(&mut alarm, time).await;
                assert!(Instant::now() >= time);
            }
            rings(&mut alarm, Instant::now()).await;
        })
        .await;
    }

    #[tokio::test]
    async fn the_last_word_counts() {
        each(async |mut alarm| {
            let begun = Instant::now();
            tokio::select! {
                biased;
                () = rings(&mut alarm, begun + SHORT) => panic!("too early"),
                () = std::future::ready(()) => {}
            }
            let mut other = Alarm::of_runtime();
            tokio::select! {
                () = rings(&mut alarm, begun + LONG) => panic!("it rang for a time that no longer counts"),
                () = rings(&mut other, begun + 2 * SHORT) => {}
            }
            rings(&mut alarm, Instant::now() + SHORT).await;
            assert!(begun.elapsed() < LONG);
        })
        .await;
    }
}
