//! The desktop session that the agent is in: which bus it speaks on, and in which environment it starts other programs.
//!
//! An agent that is started in a session belongs to it, and ends with its bus. One that was started without a session (by a
//! system's service, over SSH, before anybody was there) outlives sessions: it joins the one that comes, and waits for
//! the next when that is over. It learns of a session from whatever starts Tidings there, at login or by hand (a
//! second start hands over what it was started with), and from the user's bus when it appears at its usual place.
//!
//! The libraries find the session's bus by the environment of the process, and that can't be changed once there are
//! threads. So an agent without a session begins anew with an address of its own in it: a link in the state folder,
//! which leads to the bus of the session that it is in.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tidings_ground::paths::Paths;
use tidings_ground::trail::Trails;
use tidings_state::session::{BUS, Environment, HANDED_OVER, address, own, usual_place};
use tokio::time::timeout;
use zbus::Address;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;
use zbus::zvariant::Value;

/// A bus that appears is looked at after this much quiet. Too low: before it listens; too high: the icon comes late.
const QUIET: Duration = Duration::from_millis(300);

/// How long the user's systemd may take to answer. Too low: a busy one counts as absent; too high: a click seems to do nothing.
const ANSWER: Duration = Duration::from_secs(1);

/// Waits until somebody listens where the system has the user's bus, and tells of a session with that; for ever where it
/// can't be watched. Nothing wakes up meanwhile.
pub(crate) async fn appears(paths: &Paths) -> Environment {
    let place = usual_place();
    loop {
        // Before the look: what comes after it is told. Anew each time, since its folder may have come.
        let trails = match Trails::watch(&std::iter::once(place.as_path())) {
            Ok(trails) => trails,
            Err(error) => {
                tracing::debug!(%error, "nothing tells when the user's bus appears");
                return std::future::pending().await;
            }
        };
        if UnixStream::connect(&place).is_ok() {
            return own(paths);
        }
        trails.changed().await;
        while timeout(QUIET, trails.changed()).await.is_ok() {}
    }
}

/// The session that the agent is in.
#[derive(Debug, Clone)]
pub struct Session {
    /// What leads to its bus, of an agent that began without one.
    link: Option<PathBuf>,
    /// For the programs that are started in it.
    environment: Environment,
}

impl Session {
    /// Of an agent that begins. Where it finds no session it does so anew, with an address that it can lead somewhere later.
    pub fn begin(paths: &Paths) -> Self {
        let link = paths.bus();
        let of_its_own = env::var(BUS).is_ok_and(|bus| bus == address(&link));
        if !of_its_own && !is_there() {
            // Returns only if that fails.
            let error = begin_anew(&link);
            tracing::warn!(%error, "a desktop session that comes later can't be joined");
        }
        // Where an earlier run's led to.
        let _ = fs::remove_file(&link);
        Self { link: of_its_own.then_some(link), environment: own(paths) }
    }

    /// Whether the agent goes on when the session is over.
    pub fn is_outlived(&self) -> bool {
        self.link.is_some()
    }

    /// Takes a session over that a later start is in. `joined`: the agent speaks on a bus now. Returns whether there is a
    /// bus to be joined.
    pub fn take(&mut self, mut handed: Environment, joined: bool) -> bool {
        handed.retain(|name, _| HANDED_OVER.contains(&name.as_str()));
        let bus = handed.get(BUS).cloned();
        if joined && bus.as_deref().map(place) != self.environment.get(BUS).map(|bus| place(bus)) {
            tracing::info!("Tidings was started in another session, and stays in its own");
            return false;
        }
        let leads = match (&self.link, &bus) {
            (Some(link), Some(bus)) if !joined => match lead(link, bus) {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(%error, "the bus of a desktop session can't be used");
                    false
                }
            },
            _ => false,
        };
        // A start over SSH on the same bus has nothing to show anything on.
        if leads || display_of(&handed).is_some() {
            let screen = display_of(&handed);
            tracing::info!(?bus, ?screen, "in a desktop session");
            self.environment = handed;
        }
        leads
    }

    /// Looks for a display where nobody handed one over: desktops tell the user's systemd of theirs, for what it starts.
    pub async fn look_for_display(&mut self) {
        if display_of(&self.environment).is_some() {
            return;
        }
        match timeout(ANSWER, told_to_systemd()).await {
            Ok(Ok(told)) if display_of(&told).is_some() => {
                let bus = self.environment.remove(BUS);
                self.environment.extend(told);
                self.environment.extend(bus.map(|bus| (BUS.to_owned(), bus)));
            }
            told => tracing::debug!(?told, "nobody knows of a display"),
        }
    }

    /// Gives a program that is about to be started the session's environment.
    pub fn give(&self, command: &mut Command) {
        for name in HANDED_OVER {
            match self.environment.get(name) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// What programs are started in.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

async fn told_to_systemd() -> zbus::Result<Environment> {
    let properties = "org.freedesktop.DBus.Properties";
    let wanted = ("org.freedesktop.systemd1.Manager", "Environment");
    let answer = zbus::Connection::session()
        .await?
        .call_method(
            Some("org.freedesktop.systemd1"),
            "/org/freedesktop/systemd1",
            Some(properties),
            "Get",
            &wanted,
        )
        .await?;
    let told: Vec<String> = answer.body().deserialize::<Value<'_>>()?.try_into()?;
    let told = told.iter().filter_map(|variable| variable.split_once('='));
    let told = told.filter(|(name, _)| HANDED_OVER.contains(name));
    Ok(told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Whether somebody listens at the session's bus.
#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of addresses are not ours, and grow")]
fn is_there() -> bool {
    let Ok(address) = Address::session() else { return false };
    match address.transport() {
        Transport::Unix(unix) => match unix.path() {
            UnixSocket::File(path) => UnixStream::connect(path).is_ok(),
            UnixSocket::Abstract(name) => SocketAddr::from_abstract_name(name.as_bytes())
                .and_then(|address| UnixStream::connect_addr(&address))
                .is_ok(),
            // For those who listen.
            _ => false,
        },
        _ => true,
    }
}

/// Becomes this program once more, with the same arguments.
fn begin_anew(link: &Path) -> io::Error {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).env(BUS, address(link)).exec()
}

/// Makes the link lead to this bus.
fn lead(link: &Path, bus: &str) -> io::Result<()> {
    let unsupported = || io::Error::new(io::ErrorKind::Unsupported, "no socket in the file system");
    let bus: Address = bus.parse().map_err(io::Error::other)?;
    let Transport::Unix(unix) = bus.transport() else { return Err(unsupported()) };
    let UnixSocket::File(socket) = unix.path() else { return Err(unsupported()) };
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => symlink(unescaped(socket), link),
    }
}

/// The display, unless it is that of another machine (`ssh -X`), which goes with the connection.
fn display_of(environment: &Environment) -> Option<&str> {
    let x11 = environment.get("DISPLAY").filter(|name| name.starts_with(':') || name.starts_with("unix:"));
    environment.get("WAYLAND_DISPLAY").or(x11).map(String::as_str)
}

/// Without the id, which tells one bus at the same place from the next.
fn place(bus: &str) -> &str {
    bus.split(",guid=").next().unwrap_or(bus)
}

/// The path that stands in an address with its bytes escaped, as others write it: `%20` for a space.
fn unescaped(path: &Path) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::new(), path.as_os_str().as_bytes());
    while let Some((first, more)) = rest.split_first() {
        let digits =
            more.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &more[2..] } else { more };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn session(folder: &Path, outlived: bool, variables: &[(&str, &str)]) -> Session {
        Session { link: outlived.then(|| folder.join("bus")), environment: environment(variables) }
    }

    fn given(session: &Session, name: &str) -> Option<String> {
        let mut command = Command::new("true");
        session.give(&mut command);
        let value = command.get_envs().find(|(known, _)| *known == name).expect("told either way").1;
        value.map(|value| value.to_string_lossy().into_owned())
    }

    #[test]
    fn an_agent_without_a_session_is_led_to_the_bus_of_the_one_that_comes_and_to_the_next_ones() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(folder.path(), true, &[]);
        assert!(!session.take(environment(&[("LANG", "C")]), false), "nothing to join");
        for (bus, socket) in [
            ("unix:path=/run/user/1000/bus", "/run/user/1000/bus"),
            ("unix:path=/tmp/an%20other%2c%C3%BC%zz%", "/tmp/an other,ü%zz%"),
        ] {
            let handed = environment(&[
                (BUS, &format!("{bus},guid=0123456789abcdef0123456789abcdef")),
                ("DISPLAY", ":0"),
            ]);
            assert!(session.take(handed.clone(), false));
            assert_eq!(fs::read_link(folder.path().join("bus")).unwrap(), Path::new(socket));
            assert_eq!(
                (given(&session, BUS), given(&session, "DISPLAY")),
                (handed.get(BUS).cloned(), Some(":0".to_owned()))
            );
            assert_eq!(given(&session, "WAYLAND_DISPLAY"), None);
        }
    }

    #[test]
    fn an_agent_in_a_session_stays_there_and_follows_its_display() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(folder.path(), false, &[(BUS, "unix:path=/run/user/1000/bus")]);
        let other = environment(&[(BUS, "unix:path=/tmp/other,guid=1"), ("DISPLAY", ":7")]);
        assert!(!session.take(other, true));
        assert_eq!(given(&session, "DISPLAY"), None);
        // The user's bus outlives a logout, the display doesn't.
        for display in [":0", ":1"] {
            let same = environment(&[(BUS, "unix:path=/run/user/1000/bus,guid=2"), ("DISPLAY", display)]);
            assert!(!session.take(same, true), "it is there already");
            assert_eq!(given(&session, "DISPLAY").as_deref(), Some(display));
        }
        for far in [&[("DISPLAY", "localhost:10.0")][..], &[]] {
            let mut far = environment(far);
            far.insert(BUS.to_owned(), "unix:path=/run/user/1000/bus".to_owned());
            assert!(!session.take(far, true));
            assert_eq!(given(&session, "DISPLAY").as_deref(), Some(":1"), "of this machine");
        }
    }

    #[test]
    fn a_bus_that_no_link_leads_to_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(folder.path(), true, &[]);
        for bus in ["unix:abstract=/tmp/dbus-x", "tcp:host=localhost,port=1", "nonsense"] {
            assert!(!session.take(environment(&[(BUS, bus)]), false), "{bus}");
        }
    }

    #[test]
    fn an_address_is_read_back_as_the_path_that_it_was_made_of() {
        for path in ["/run/user/1000/bus", "/home/a b/=%/ü"] {
            let address: Address = address(Path::new(path)).parse().unwrap();
            let Transport::Unix(unix) = address.transport() else { panic!("{address:?}") };
            assert!(
                matches!(unix.path(), UnixSocket::File(found) if found == Path::new(path)),
                "{address:?}"
            );
        }
    }
}
