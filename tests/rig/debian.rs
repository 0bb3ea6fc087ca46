//! The notification services and tray hosts that Debian has, by name. Read by `xtask`, too, so that a wrong name is told
//! before anything is built or installed.

/// Name and Debian package of each notification service.
pub const SERVICES: [(&str, &str); 11] = [
    ("dunst", "dunst"),
    ("mako", "mako-notifier"),
    ("swaync", "sway-notification-center"),
    ("fnott", "fnott"),
    ("lxqt-notificationd", "lxqt-notificationd"),
    ("xfce4-notifyd", "xfce4-notifyd"),
    ("mate-notification-daemon", "mate-notification-daemon"),
    ("notification-daemon", "notification-daemon"),
    ("notify-osd", "notify-osd"),
    ("plasma-popups", "plasma-workspace"),
    ("gnome-popups", "gnome-shell"),
];

/// Name and Debian package of each tray host.
pub const HOSTS: [(&str, &str); 8] = [
    ("xfce4-panel", "xfce4-panel"),
    ("mate-panel", "mate-panel"),
    ("lxqt-panel", "lxqt-panel"),
    ("snixembed", "snixembed"),
    ("waybar", "waybar"),
    ("swaybar", "sway"),
    ("plasma-tray", "plasma-workspace"),
    ("gnome-tray", "gnome-shell-extension-appindicator"),
];

/// The Debian package of a service or host.
pub fn package(name: &str) -> Option<&'static str> {
    SERVICES.iter().chain(&HOSTS).find(|(known, _)| *known == name).map(|(_, package)| *package)
}

/// All of them, a line each.
pub fn list() -> String {
    let line = |what: &'static str| {
        move |(name, package): &(&str, &str)| format!("  {name:26} {what}, Debian package {package}")
    };
    let services = SERVICES.iter().map(line("notification service"));
    services.chain(HOSTS.iter().map(line("tray host"))).collect::<Vec<_>>().join("\n")
}

/// Reads the names after each `--only`; the error is a sentence.
pub fn only(typed: &[String]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => {
                let name = words.next().ok_or("--only wants a name")?;
                package(name).ok_or_else(|| format!("nothing is called `{name}`; --list tells the names"))?;
                names.push(name.clone());
            }
            _ => return Err(format!("it knows --list and --only NAME, not `{word}`")),
        }
    }
    Ok(names)
}
