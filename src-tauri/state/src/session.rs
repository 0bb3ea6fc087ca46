//! The desktop session that the agent is in, as others see it.

use std::collections::BTreeMap;

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
