//! The specification's numbers that are not settings, in one value so that tests can scale them.

use std::time::Duration;

/// Every number that is no setting. `Default` is the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Least ordinary delay (B1). Too low: a tight loop; too high: a short break shows.
    pub least_delay: Duration,
    /// A delay at its cap is at least the cap divided by this (B1). Too low: all wait long; too high: 100,000 clients
    /// dial 3,500 times in a second when their server is back.
    pub cap_part: u32,
    /// Least time between two dials (B1), whatever asked for them. Too low: a held key floods the server;
    /// too high: `Reconnect now` feels dead.
    pub dial_gap: Duration,
    /// Upper end of the first delay after a local cause (B1). Too low: a fleet that wakes together
    /// stampedes; too high: deaf after every wake.
    pub first_local: Duration,
    /// Least upper end of the first delay after 1001, which all of a server's clients hear at once. Too low:
    /// they are all back before the server is; too high: deaf after each deploy.
    pub first_going_away: Duration,
    /// A link this old that has received a byte is stable, and delays start small again (B1). Too low: a
    /// server that accepts and fails is hammered; too high: an old failure still slows a new one.
    pub stable_after: Duration,
    /// A link this old is stable even if nothing came in (B1).
    pub stable_silent_after: Duration,
    /// Earliest return after 1012 and 1013 (registered meaning: 5 to 30 s).
    pub restart_from: Duration,
    /// Latest return after 1012 and 1013.
    pub restart_to: Duration,
    /// Floor after 1002, 1003, 1007, 1008, 1010, 3000 and 3003: trying again will hardly help soon. Too low:
    /// the server's log fills; too high: a mended server is missed.
    pub refused_floor: Duration,
    /// Floor after 1009. Too low: the same big message is fetched again and again; too high: deaf for long.
    pub too_big_floor: Duration,
    /// First delay after 404. Too low: a wrong address is hammered; too high: a deploy's short 404 is felt.
    pub wrong_address_first: Duration,
    /// Longest delay after 404.
    pub wrong_address_cap: Duration,
    /// Floor after an answer that is no WebSocket's. As for 404.
    pub not_websocket_floor: Duration,
    /// Floor after a refused certificate: somebody has to mend it. As for 404.
    pub certificate_floor: Duration,
    /// Floor behind a captive portal. Too low: the portal is hammered; too high: deaf after the sign-in.
    pub portal_floor: Duration,
    /// For this long after a network change a certificate for another name is a captive portal's. Too low: the
    /// portal looks like a broken server; too high: a broken server looks like a portal.
    pub portal_suspicion: Duration,
    /// Least `Retry-After` that is believed.
    pub retry_after_least: Duration,
    /// Greatest `Retry-After` that is believed. Too high: one bad header deafens for a day.
    pub retry_after_most: Duration,
    /// Earliest try by itself where the user is needed. Too low: accounts get locked; too high: one bad
    /// deploy deafens a thousand desks for long.
    pub needs_user_from: Duration,
    /// Until a stream is asked for again that the server has said will bring nothing more. Too low: a server that wants to be left alone
    /// is not; too high: one that changed its mind goes unheard.
    pub no_more: Duration,
    /// Until a carrier that didn't get through is looked at again (F1). Too low: needless failures; too high: a lesser carrier is in use for
    /// long where the better one gets through by now.
    pub carrier_again: Duration,
    /// Latest such try.
    pub needs_user_to: Duration,
    /// Where a sign-in is refused after a link that worked lately, the next looks come after these times: a sign-in
    /// service that was down for a minute is back then. Too low: accounts get locked; too high: deaf after each such break.
    pub sign_in_again: [Duration; 2],
    /// How long ago a link may have worked for that. Too low: a service that is down in the morning is not waited for; too
    /// high: a secret that is over for good is tried for nothing.
    pub worked_lately: Duration,
    /// A link that the peer ends sooner, with nothing said, may have been ended over the credential, which is read again. Too
    /// low: a server that takes a moment to look at the token is missed; too high: token commands run for nothing.
    /// Also how long after the open a dialect's refusal is the answer to the subscription (T1).
    pub turned_away: Duration,
    /// The longest floor after links that were ended over the credential, one after the other. Too low: a token command
    /// runs for nothing; too high: deaf for long after the token is renewed.
    pub turned_away_cap: Duration,
    /// With no network, one try in this time (B3). Too low: battery; too high: a wrong advice costs more.
    pub offline_retry: Duration,
    /// Wake and network change shorten a wait at most once in this time (B6). Too low: a flapping interface
    /// defeats the delays; too high: a second wake is ignored.
    pub shorten_gap: Duration,
    /// A link ended by the peer sooner than this may be a war (B5). Too low: wars go on; too high: honest
    /// restarts are braked.
    pub brake_link: Duration,
    /// … or sooner than this many times the delay before it (B5). Below 3, chance ends the brake.
    pub brake_factor: u32,
    /// Level from which the brake works (B5). Too low: two quick restarts are punished; too high: more kicks.
    pub brake_level: u32,
    /// The brake's first delay.
    pub brake_first: Duration,
    /// The brake's longest delay, before its up to 50 % on top.
    pub brake_cap: Duration,
    /// Shortest silence after which an end is looked at as that of a silent link (L5). Too low: a flapping server is pinged
    /// every few seconds; too high: a hasty proxy goes unrecognised.
    pub idle_least: Duration,
    /// A write that takes longer means death (L3). Too low: a slow uplink is cut; too high: deaf for long.
    pub write_stall: Duration,
    /// Time for a close handshake (L3). Too low: peers log an abnormal end; too high: shutting down drags.
    pub close_wait: Duration,
    /// Time for a probe's answer (L4). Too low: a radio that is waking is taken for dead; too high: deaf.
    pub probe: Duration,
    /// A whole dial up to its upgrade. Too low: slow networks never connect; too high: one dead address holds it up.
    pub dial: Duration,
    /// Name lookup (D1).
    pub lookup: Duration,
    /// Between the starts of two addresses of one name (D1, RFC 8305). Too low: needless connections; too high: a
    /// dead IPv6 is felt.
    pub stagger: Duration,
    /// How long an address that failed after TCP is tried last (D1). Too low: a dial fails each time for nothing; too high: one
    /// that is mended stays unused, which hurts nobody while another serves.
    pub doubt: Duration,
    /// TCP connect, per address (D1).
    pub connect: Duration,
    /// A proxy's answers, all together (D4).
    pub proxy: Duration,
    /// TLS handshake (D1).
    pub tls: Duration,
    /// WebSocket upgrade, where the name has another address to try (D1), and after a wake or a network change. Too
    /// low: a slow sign-in at the server goes unanswered, and may be completed when nobody waits for it any more (R3);
    /// too high: an address that says nothing holds up the one that works.
    pub upgrade: Duration,
    /// WebSocket upgrade, where giving up could only mean to ask the same address again (D1). Too low: below the 60 s
    /// after which proxies answer in a silent server's place, a server that starts slowly is left with upgrades of
    /// ours to complete (R3); too high: deaf for long where a request was lost.
    pub upgrade_patience: Duration,
    /// From a request for what comes to the first that comes (J3). Too low: a slow server is polled for nothing; too high: behind a proxy that
    /// holds back what isn't whole, nothing is heard for long.
    pub stream_start: Duration,
    /// For this long after the next link's open, an upgrade that we gave up may still be completed and replace that link
    /// (R3). Too low: a slow sign-in ends in *Replaced* though nobody else has the channel; too high: another
    /// instance's take-over is taken for ours.
    pub ghost_life: Duration,
    /// A link that we drop this soon after its open without having heard a message may not have been taken note of by
    /// the server: it may be later, as an upgrade that was given up (R3). Too low and too high as there.
    pub ghost_young: Duration,
    /// For this long after the next link's open. Such a server is late by its threads, not by its work.
    pub ghost_young_life: Duration,
    /// An upgrade that was broken off without an answer after this time was given up by somebody on the way (R3). Too
    /// low: a server that dies counts as one that answers late; too high: a balancer's time-out goes unnoticed.
    pub ghost_broken_off: Duration,
    /// An upgrade that waits this long for its answer is remembered already, as this process may be killed before it gives
    /// it up (R3). Too low: each dial over a slow line is written to a file twice; too high: what a killed one had asked
    /// for ends the next one's link for good.
    pub ghost_noted: Duration,
    /// A link that the server ended for the next one's sake is shown as connected for so long, until that one stands (N1). Too
    /// low: each renewal shows as a break; too high: a break is shown late.
    pub handover: Duration,
    /// Two equal messages over two links of a renewal, one over either, are one if they come within this time (N1). Too low: a
    /// server that keeps both has each told twice over a bad line; too high: what is new and says the same is not told.
    pub double: Duration,
    /// A dialect's sign-in, and its subscription, each (T1). Too low: a busy server is left before it answers; too high: one that
    /// speaks something else holds the channel up.
    pub subscribe: Duration,
    /// The start of a page that came instead of an upgrade. Too low: a sign-in page is taken for any page; too high:
    /// the dial drags.
    pub page: Duration,
    /// TCP keepalive: silence before the first probe (L2). The kernel's help where a peer answers no pings.
    pub keepalive_idle: Duration,
    /// TCP keepalive: between probes.
    pub keepalive_interval: Duration,
    /// TCP keepalive: probes before the link is dead.
    pub keepalive_probes: u32,
    /// `TCP_USER_TIMEOUT` (Linux): unacknowledged bytes this old mean death. Too low: a Wi-Fi roam kills a
    /// link; too high: writes into a dead link look fine for many minutes.
    pub tcp_user_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let secs = Duration::from_secs;
        let millis = Duration::from_millis;
        Self {
            least_delay: millis(250),
            cap_part: 6,
            dial_gap: secs(1),
            first_local: millis(500),
            first_going_away: secs(10),
            stable_after: secs(30),
            stable_silent_after: secs(5 * 60),
            restart_from: secs(5),
            restart_to: secs(30),
            refused_floor: secs(30),
            too_big_floor: secs(60),
            wrong_address_first: secs(30),
            wrong_address_cap: secs(10 * 60),
            not_websocket_floor: secs(5 * 60),
            certificate_floor: secs(5 * 60),
            portal_floor: secs(15),
            portal_suspicion: secs(60),
            retry_after_least: secs(1),
            retry_after_most: secs(3600),
            needs_user_from: secs(15 * 60),
            no_more: secs(24 * 3600),
            carrier_again: secs(24 * 3600),
            needs_user_to: secs(22 * 60),
            sign_in_again: [secs(60), secs(4 * 60)],
            worked_lately: secs(24 * 60 * 60),
            turned_away: secs(5),
            turned_away_cap: secs(15 * 60),
            offline_retry: secs(60),
            shorten_gap: secs(10),
            brake_link: secs(30),
            brake_factor: 4,
            brake_level: 3,
            brake_first: secs(60),
            brake_cap: secs(15 * 60),
            idle_least: secs(8),
            write_stall: secs(10),
            close_wait: secs(1),
            probe: secs(5),
            dial: secs(30),
            lookup: secs(5),
            stagger: millis(250),
            doubt: secs(60 * 60),
            connect: secs(10),
            proxy: secs(10),
            tls: secs(10),
            upgrade: secs(10),
            upgrade_patience: secs(75),
            stream_start: secs(10),
            ghost_life: secs(180),
            ghost_young: secs(5),
            ghost_young_life: secs(30),
            ghost_broken_off: secs(5),
            ghost_noted: millis(250),
            handover: secs(2),
            double: secs(2),
            subscribe: secs(15),
            page: secs(2),
            keepalive_idle: secs(30),
            keepalive_interval: secs(10),
            keepalive_probes: 3,
            tcp_user_timeout: secs(55),
        }
    }
}
