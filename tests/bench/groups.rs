//! What `cargo xtask bench` can measure. Read by `xtask`, too, so that a wrong name is told before anything is built.

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Idle,
    Start,
    Notify,
    Burst,
    Links,
    Window,
    Page,
    Million,
    Packages,
}

/// A group with the name that a person types, and what it is.
pub(crate) type Named = (&'static str, Group, &'static str);

const GROUPS: [Named; 9] = [
    ("idle", Group::Idle, "memory and wake-ups of an agent that waits for messages"),
    ("start", Group::Start, "from the start of the agent to its open link"),
    ("notify", Group::Notify, "from the server's send to the desktop's popup"),
    ("burst", Group::Burst, "5,000 messages in a second"),
    ("links", Group::Links, "memory per idle link with many in one process"),
    ("window", Group::Window, "how soon the window is there, and what of it stays"),
    ("page", Group::Page, "how soon the window shows the first page of 100,000 messages"),
    ("million", Group::Million, "search, paging and start with a million messages"),
    ("packages", Group::Packages, "sizes of programs and packages"),
];

/// The names, a line each.
pub(crate) fn list() -> String {
    GROUPS.map(|(name, _, what)| format!("  {name:16} {what}")).join("\n")
}

/// All groups, or those named; the error is a sentence.
pub(crate) fn chosen(typed: &[String]) -> Result<Vec<Named>, String> {
    if let Some(unknown) = typed.iter().find(|name| GROUPS.iter().all(|(known, ..)| known != name)) {
        return Err(format!("nothing is called `{unknown}`"));
    }
    let wanted = |name: &str| typed.is_empty() || typed.iter().any(|typed| typed == name);
    Ok(GROUPS.into_iter().filter(|(name, ..)| wanted(name)).collect())
}
