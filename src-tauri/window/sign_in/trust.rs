//! Certificates that the system does not trust, and the channel's `ca_file` does.

use std::path::Path;

use gtk::gio::prelude::*;
use gtk::gio::{NetworkAddress, TlsCertificate};

/// Whether one of the authorities in this file stands for this host's certificate. Asked of the library that the view itself
/// verifies by, so that nothing is let in here by other rules: name, time and chain must be right.
pub(crate) fn trusted(ca_file: &Path, certificate: &TlsCertificate, host: &str) -> bool {
    let authorities = TlsCertificate::list_new_from_file(ca_file).unwrap_or_default();
    let identity = NetworkAddress::new(host, 0);
    authorities.iter().any(|authority| certificate.verify(Some(&identity), Some(authority)).is_empty())
}
