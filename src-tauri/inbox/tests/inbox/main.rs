//! What the inbox promises, through its public face and on real files.

mod decode;
mod gate;
mod journal;
mod mapping;
mod marks;
mod published;
mod recall;
mod search;
mod servers;
mod store;
mod support;
mod trouble;
