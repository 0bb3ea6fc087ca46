//! The certificate by which a channel shows who it is.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

/// A certificate with which a channel shows who it is, and its key. `Debug` shows neither.
#[derive(Clone)]
pub struct ClientCert(pub(crate) Arc<CertifiedKey>);

/// Why a client certificate can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientCertError {
    /// No certificate in the chain.
    #[error("no certificate can be read there: it takes PEM, `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// No private key.
    #[error(
        "no private key can be read there: it takes PEM without a password, `-----BEGIN PRIVATE KEY-----`"
    )]
    NoKey,
    /// They don't belong together, or are of a kind that isn't known.
    #[error(
        "certificate and key can't be used together: the key is another certificate's, or of a kind that isn't known"
    )]
    Unusable,
}

impl ClientCert {
    /// Reads a certificate chain, the channel's own certificate first, and its private key; both PEM, which may
    /// be the same text.
    ///
    /// # Errors
    /// Says which of the two can't be used, and why.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, ClientCertError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|_| ClientCertError::NoCertificate)?;
        if chain.is_empty() {
            return Err(ClientCertError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ClientCertError::NoKey)?;
        let certified = CertifiedKey::from_der(chain, key, &provider());
        certified.map(|certified| Self(Arc::new(certified))).map_err(|_| ClientCertError::Unusable)
    }
}

impl fmt::Debug for ClientCert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCert(***)")
    }
}

pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A certificate and its key.
    pub(crate) fn pair() -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["desk".to_owned()]).expect("a name");
        (params.self_signed(&key).expect("signed").pem(), key.serialize_pem())
    }

    #[test]
    fn a_client_certificate_is_checked_before_any_dial() {
        let ((chain, key), (_, other_key)) = (pair(), pair());
        let both = format!("{key}{chain}");
        let cert = ClientCert::from_pem(both.as_bytes(), both.as_bytes()).expect("one file with both");
        assert_eq!(format!("{cert:?}"), "ClientCert(***)");
        let refused = |chain: &str, key: &str| {
            ClientCert::from_pem(chain.as_bytes(), key.as_bytes()).expect_err("refused")
        };
        assert_eq!(refused("hello", &key), ClientCertError::NoCertificate);
        assert_eq!(refused(&chain, &chain), ClientCertError::NoKey);
        assert!(matches!(refused(&chain, &other_key), ClientCertError::Unusable));
    }
}
