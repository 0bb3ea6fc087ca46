//! Encryption (D3): the platform's verifier, further authorities, a client certificate. Verification can't be
//! turned off.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, ClientConfig, InvalidMessage};

use crate::config::Config;
use crate::end::cause::Cause;
use crate::end::detail::Detail;
use crate::way::client_cert::{ClientCert, provider};
use crate::way::trust::{Refused, Trust, refused};

/// One channel's way to encrypt, made at its first encrypted dial: the system's certificates are read for it.
#[derive(Debug, Default)]
pub(crate) struct Tls(Mutex<Option<Arc<ClientConfig>>>);

/// The verifier of all channels that trust what the system trusts: its certificates take most of a MiB.
static SYSTEM: Mutex<Weak<Verifier>> = Mutex::new(Weak::new());

impl Tls {
    pub(crate) async fn client(&self, config: &Config) -> Result<Arc<ClientConfig>, Cause> {
        if let Some(made) = &*self.kept() {
            return Ok(made.clone());
        }
        let (ca_pem, client_cert) = (config.ca_pem.clone(), config.client_cert.clone());
        // Reads hundreds of files on some systems.
        let made = tokio::task::spawn_blocking(move || client_config(ca_pem.as_deref(), client_cert)).await;
        let made = made.map_err(|_| Cause::Tls { detail: Detail::NoEncryption })??;
        *self.kept() = Some(made.clone());
        Ok(made)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<ClientConfig>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a failed handshake means.
    pub(crate) fn refused(&self, error: &io::Error) -> Cause {
        let cause = failure(error).unwrap_or_else(|| Cause::Tls { detail: Detail::of_io(error) });
        if let Cause::Certificate { .. } | Cause::WrongName { .. } = cause {
            // Whoever mends it may do so by a new authority on this system: read them again next time.
            *self.kept() = None;
            *SYSTEM.lock().unwrap_or_else(PoisonError::into_inner) = Weak::new();
        }
        cause
    }
}

/// What an error of TLS means, if it is one. A server that misses or refuses our certificate may say so only when
/// the handshake is over (RFC 8446, section 4.4.2).
pub(crate) fn failure(error: &io::Error) -> Option<Cause> {
    error.get_ref()?.downcast_ref().map(meaning)
}

fn meaning(error: &rustls::Error) -> Cause {
    let certificate = |detail| Cause::Certificate { detail };
    let tls = |detail| Cause::Tls { detail };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the errors are not ours, and grow")]
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            match other.0.downcast_ref::<Refused>() {
                Some(Refused(cause)) => cause.clone(),
                None => certificate(Detail::NotTrusted),
            }
        }
        rustls::Error::InvalidCertificate(reason) => certificate(refused(reason)),
        rustls::Error::NoCertificatesPresented => certificate(Detail::NoCertificate),
        rustls::Error::UnsupportedNameType => certificate(Detail::UnnameableHost),
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied => certificate(Detail::OursRefused),
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity => tls(Detail::NothingInCommon),
            AlertDescription::UnrecognisedName => tls(Detail::UnknownHere),
            other => tls(Detail::Alert(u8::from(*other))),
        },
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => tls(Detail::NoTls),
        rustls::Error::PeerIncompatible(_) => tls(Detail::NothingInCommon),
        rustls::Error::FailedToGetRandomBytes
        | rustls::Error::FailedToGetCurrentTime
        | rustls::Error::General(_)
        | rustls::Error::EncryptError => tls(Detail::NoEncryption),
        _ => tls(Detail::BrokenTls),
    }
}

/// Verification by the platform's rules, plus `ca_pem`.
fn client_config(ca_pem: Option<&[u8]>, client_cert: Option<ClientCert>) -> Result<Arc<ClientConfig>, Cause> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| Cause::Tls { detail: Detail::NoEncryption })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust(&SYSTEM, ca_pem)?));
    let mut config = match client_cert {
        Some(ClientCert(certified)) => {
            config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
        }
        None => config.with_no_client_auth(),
    };
    // One server: a few tickets are plenty.
    config.resumption = Resumption::in_memory_sessions(4);
    Ok(Arc::new(config))
}

/// Whom a channel with these certificates of its own trusts. `shared` is where the system's are kept while a channel
/// uses them.
pub(crate) fn trust(shared: &Mutex<Weak<Verifier>>, ca_pem: Option<&[u8]>) -> Result<Trust, Cause> {
    let certificate = |detail| Cause::Certificate { detail };
    let make = |exactly: Vec<CertificateDer<'static>>| {
        let nothing_to_trust = if exactly.is_empty() { Detail::NoAuthorities } else { Detail::CaBroken };
        let made = Verifier::new_with_extra_roots(exactly, Arc::new(provider()));
        made.map(Arc::new).map_err(|_| certificate(nothing_to_trust))
    };
    let Some(ca_pem) = ca_pem else {
        // Held while one is made, so that channels that start together make one.
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(platform) = shared.upgrade() {
            return Ok(Trust { platform, exactly: Vec::new() });
        }
        let platform = make(Vec::new())?;
        *shared = Arc::downgrade(&platform);
        return Ok(Trust { platform, exactly: Vec::new() });
    };
    let exactly = CertificateDer::pem_slice_iter(ca_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| certificate(Detail::CaBroken))?;
    if exactly.is_empty() {
        return Err(certificate(Detail::CaEmpty));
    }
    Ok(Trust { platform: make(exactly.clone())?, exactly })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::way::client_cert::tests::pair;

    #[test]
    fn a_ca_file_without_certificates_is_told_and_not_ignored() {
        for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let refused = client_config(Some(pem), None).expect_err("no certificate in it");
            assert!(matches!(refused, Cause::Certificate { .. }), "{refused}");
        }
    }

    #[test]
    fn channels_without_authorities_of_their_own_share_the_systems() {
        // Not the process's: another test's refusal has that read anew.
        let shared = Mutex::new(Weak::new());
        let Ok(one) = trust(&shared, None) else { return };
        assert!(Arc::ptr_eq(&one.platform, &trust(&shared, None).expect("as before").platform));
        let other = trust(&shared, Some(pair().0.as_bytes())).expect("one more authority");
        assert!(!Arc::ptr_eq(&one.platform, &other.platform));
    }
}
