//! What `cargo xtask bench` can measure. Read by `xtask`, too, so that a wrong name is told before anything is built.

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Idle,
    Start,
    Notify,
    Mqtt,
    Burst,
    Links,
    Window,
    Page,
    Million,
    Server,
    Kills,
    Turmoil,
    Packages,
}

/// A group with the name that a person types, and what it is.
pub(crate) type Named = (&'static str, Group, &'static str);

const GROUPS: [Named; 13] = [
    ("idle", Group::Idle, "memory and wake-ups of an agent that waits for messages"),
    ("start", Group::Start, "from the start of the agent to its open link"),
    ("notify", Group::Notify, "from the server's send to the desktop's popup"),
    ("mqtt", Group::Mqtt, "the same through an MQTT broker"),
    ("burst", Group::Burst, "5,000 messages in a second"),
    ("links", Group::Links, "memory per idle link with many in one process"),
    ("window", Group::Window, "how soon the window is there, and what of it stays"),
    ("page", Group::Page, "how soon the window shows the first page of 100,000 messages"),
    ("million", Group::Million, "search, paging and start with a million messages"),
    ("server", Group::Server, "the server with its messages on the disk, beside ntfy"),
    ("kills", Group::Kills, "50 kills of the server under pushes: what is lost or comes twice"),
    (
        "turmoil",
        Group::Turmoil,
        "three nodes over NATS, killed and cut off under pushes: what is lost or comes twice",
    ),
    ("packages", Group::Packages, "sizes of programs and packages"),
];

/// The names, a line each.
pub(crate) fn list() -> String {
    GROUPS.map(|(name, _, what)| format!("  {name:16} {what}")).join("\n")
}

/// What was asked for.
pub(crate) struct Asked {
    pub(crate) groups: Vec<Named>,
    /// What is measured in turn with this one: a commit, or the agent that was built of it.
    pub(crate) against: Option<String>,
}

impl Asked {
    /// All groups, or those named; the error is a sentence.
    pub(crate) fn of(typed: &[String]) -> Result<Self, String> {
        let (mut names, mut against) = (Vec::new(), None);
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--against" => against = Some(words.next().ok_or("--against wants a commit")?.clone()),
                name => names.push(name),
            }
        }
        for name in &names {
            let Some((_, group, _)) = GROUPS.iter().find(|(known, ..)| known == name) else {
                return Err(format!("nothing is called `{name}`"));
            };
            if against.is_some() && !group.is_of_programs() {
                return Err(format!(
                    "`{name}` measures what is built into the benchmark, and so nothing of another build"
                ));
            }
        }
        let wanted = |name: &str, group: Group| match names.is_empty() {
            true => against.is_none() || group.is_of_programs(),
            false => names.contains(&name),
        };
        let groups = GROUPS.into_iter().filter(|(name, group, _)| wanted(name, *group)).collect();
        Ok(Self { groups, against })
    }
}

impl Group {
    /// Whether it measures the programs as they were built.
    fn is_of_programs(self) -> bool {
        match self {
            Self::Idle
            | Self::Start
            | Self::Notify
            | Self::Mqtt
            | Self::Burst
            | Self::Window
            | Self::Packages => true,
            // Inboxes are filled by the benchmark's own, and only this build's agent may know their version.
            Self::Links | Self::Page | Self::Million | Self::Server | Self::Kills | Self::Turmoil => false,
        }
    }
}
