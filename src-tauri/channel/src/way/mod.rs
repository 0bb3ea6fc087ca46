//! The way to the server: names and addresses, proxies, encryption, the upgrade.

pub(crate) mod broker;
pub(crate) mod client_cert;
pub(crate) mod connect;
pub(crate) mod dial;
pub(crate) mod dialled;
pub(crate) mod doubts;
pub(crate) mod exchange;
pub(crate) mod fetch;
pub(crate) mod jar;
pub(crate) mod meaning;
pub(crate) mod no_proxy;
pub(crate) mod patience;
pub(crate) mod posted;
pub(crate) mod proxy;
pub(crate) mod race;
pub(crate) mod redirect;
pub(crate) mod request;
pub(crate) mod resumed;
pub(crate) mod sockjs;
pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod trust;
pub(crate) mod upgrade;
