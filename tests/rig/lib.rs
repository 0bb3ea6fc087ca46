//! The tests' rig.
