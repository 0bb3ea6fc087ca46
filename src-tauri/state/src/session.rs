//! The desktop session that the agent is in, as others see it.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use tidings_ground::paths::Paths;

/// Where a session's bus is.
pub const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// What of its environment a start hands over: where the session's bus and display are, and what programs go by that are
/// started there. Nothing that could be a secret.
pub const HANDED_OVER: [&str; 17] = [
    BUS,
    "BROWSER",
    "DESKTOP_SESSION",
    "DISPLAY",
    "GTK_IM_MODULE",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "QT_IM_MODULE",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CONFIG_DIRS",
    "XDG_CURRENT_DESKTOP",
    "XDG_DATA_DIRS",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_DESKTOP",
    "XDG_SESSION_TYPE",
    "XMODIFIERS",
];

/// What of its environment a start hands over: the variables that are set.
pub type Environment = BTreeMap<String, String>;

/// The desktop session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionView {
    /// Whether the agent speaks on its bus; popups and tray need one.
    pub joined: bool,
    /// In which programs are started.
    pub environment: Environment,
}

/// Those of this process. A bus that has no variable is where the system has it.
pub fn own(paths: &Paths) -> Environment {
    let value = |name: &str| Some((name.to_owned(), env::var(name).ok().filter(|value| !value.is_empty())?));
    let mut own: Environment = HANDED_OVER.into_iter().filter_map(value).collect();
    // The agent's own address means nothing to anybody else.
    own.retain(|name, value| name != BUS || *value != address(&paths.bus()));
    let place = usual_place();
    if !own.contains_key(BUS) && place.exists() {
        own.insert(BUS.to_owned(), address(&place));
    }
    own
}

/// Where the system has a user's bus.
pub fn usual_place() -> PathBuf {
    let folder = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| format!("/run/user/{}", rustix::process::getuid().as_raw()).into());
    folder.join("bus")
}

/// The address of a bus at this socket, for zbus (5.19): that takes a path as it is written, though the form of D-Bus'
/// addresses has most of its bytes escaped. A path with a comma in it has no address that zbus would read.
pub fn address(socket: &Path) -> String {
    format!("unix:path={}", socket.display())
}
