//! Up to where each device of each user has acknowledged, and what of that an engine has yet to write down.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Devices of a user that are remembered; of more, those that were heard of longest ago are forgotten. Too low: somebody's
/// seldom used laptop begins anew; too high: whoever makes devices up fills the memory.
const MOST_DEVICES: usize = 32;

/// User and device; how far it is, or `None` where it is forgotten.
pub(crate) type Changes = HashMap<(String, String), Option<u64>>;

#[derive(Default)]
pub(crate) struct Devices(Mutex<State>);

#[derive(Default)]
struct State {
    users: HashMap<String, Vec<Device>>,
    /// Where an engine writes it down: what it hasn't.
    changes: Option<Changes>,
}

struct Device {
    name: Box<str>,
    reached: u64,
}

impl Devices {
    /// Those that were written down, whose changes are to be so, too.
    pub(crate) fn written(rows: impl Iterator<Item = (String, String, u64)>) -> Self {
        let mut state = State { users: HashMap::new(), changes: Some(Changes::new()) };
        for (user, name, reached) in rows {
            state.users.entry(user).or_default().push(Device { name: name.into(), reached });
        }
        Self(Mutex::new(state))
    }

    pub(crate) fn reached(&self, user: &str, device: &str) -> Option<u64> {
        self.state().users.get(user)?.iter().find(|known| *known.name == *device).map(|known| known.reached)
    }

    /// Up to where the foremost of a user's devices has acknowledged.
    pub(crate) fn foremost(&self, user: &str) -> Option<u64> {
        self.state().users.get(user)?.iter().map(|device| device.reached).max()
    }

    pub(crate) fn acknowledge(&self, user: &str, device: &str, seq: u64) {
        let mut state = self.state();
        let State { users, changes } = &mut *state;
        let devices = match users.get_mut(user) {
            Some(devices) => devices,
            None => users.entry(user.to_owned()).or_default(),
        };
        let mut change = |device: &str, reached| {
            if let Some(changes) = changes {
                changes.insert((user.to_owned(), device.to_owned()), reached);
            }
        };
        // The one that was heard of last is the last.
        let before = devices.iter().position(|known| *known.name == *device).map(|at| devices.remove(at));
        let device = before.unwrap_or_else(|| Device { name: device.into(), reached: 0 });
        if devices.len() == MOST_DEVICES {
            change(&devices.remove(0).name, None);
        }
        let device = Device { reached: device.reached.max(seq), ..device };
        change(&device.name, Some(device.reached));
        devices.push(device);
    }

    /// Takes what is to be written down.
    pub(crate) fn take_changes(&self) -> Changes {
        self.state().changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// It could not be written: it is to be, unless it has changed again.
    pub(crate) fn give_back(&self, unwritten: Changes) {
        if let Some(changes) = &mut self.state().changes {
            for (device, reached) in unwritten {
                changes.entry(device).or_insert(reached);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_goes_on_from_where_it_was_and_those_that_were_made_up_fill_no_memory() {
        let devices = Devices::default();
        assert_eq!(devices.reached("ann", "a"), None);
        devices.acknowledge("ann", "a", 7);
        devices.acknowledge("ann", "a", 5);
        devices.acknowledge("ann", "", 3);
        let known = |device| devices.reached("ann", device);
        assert_eq!((known("a"), known(""), devices.reached("bob", "a")), (Some(7), Some(3), None));
        for made_up in 0..10 * MOST_DEVICES {
            devices.acknowledge("ann", &made_up.to_string(), 1);
            devices.acknowledge("ann", "a", 8);
        }
        assert_eq!((known("a"), known("")), (Some(8), None));
        assert_eq!(devices.state().users["ann"].len(), MOST_DEVICES);
        assert!(devices.take_changes().is_empty(), "nobody writes it down");
    }

    #[test]
    fn what_changed_is_written_once_and_again_where_that_failed() {
        let devices = Devices::written([("ann".to_owned(), "a".to_owned(), 7)].into_iter());
        let of = |device: &str, reached| (("ann".to_owned(), device.to_owned()), reached);
        assert_eq!(devices.reached("ann", "a"), Some(7));
        assert!(devices.take_changes().is_empty());
        devices.acknowledge("ann", "a", 8);
        devices.acknowledge("ann", "b", 1);
        let taken = devices.take_changes();
        assert_eq!(taken, Changes::from([of("a", Some(8)), of("b", Some(1))]));
        devices.acknowledge("ann", "a", 9);
        devices.give_back(taken);
        assert_eq!(devices.take_changes(), Changes::from([of("a", Some(9)), of("b", Some(1))]));
        for made_up in 0..MOST_DEVICES {
            devices.acknowledge("ann", &made_up.to_string(), 1);
        }
        assert_eq!(devices.take_changes()[&of("a", None).0], None, "what is forgotten is deleted");
    }
}
