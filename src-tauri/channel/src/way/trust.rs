//! Whom a channel trusts (D3): the platform's verifier, and any certificate that `ca_file` holds itself. What is
//! refused is explained by the certificate at hand, not by the library's words.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    self, CertificateError, DigitallySignedStruct, ExtendedKeyPurpose, OtherError, SignatureScheme,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use crate::{Cause, Detail};

/// The verifier of one channel.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(crate) platform: Arc<Verifier>,
    /// What `ca_file` holds. A server that shows one of these certificates and has its key is the one that was meant,
    /// whatever the certificate says of authorities: `openssl req -x509` makes one that can't be trusted otherwise.
    pub(crate) exactly: Vec<CertificateDer<'static>>,
}

/// What a refused certificate means, on its way through the TLS library.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Cause);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Refused {}

impl From<Refused> for rustls::Error {
    fn from(refused: Refused) -> Self {
        CertificateError::Other(OtherError(Arc::new(refused))).into()
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Shown { end_entity, intermediates, server_name, now };
        if self.exactly.iter().any(|trusted| trusted == end_entity) {
            return match shown.trouble_of_itself(true) {
                Some(cause) => Err(Refused(cause).into()),
                None => Ok(ServerCertVerified::assertion()),
            };
        }
        let Self { platform, .. } = self;
        platform
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| shown.explained(&error).map_or(error, |cause| Refused(cause).into()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.platform.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.platform.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.platform.supported_verify_schemes()
    }
}

/// What a server shows, and when.
struct Shown<'a> {
    end_entity: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    server_name: &'a ServerName<'a>,
    now: UnixTime,
}

impl Shown<'_> {
    /// What is wrong with the certificate by itself, whoever vouches for it: its name, then its dates. A name is in the
    /// subject alone in certificates that were made by hand, and that is enough where exactly this one is trusted.
    fn trouble_of_itself(&self, by_hand: bool) -> Option<Cause> {
        let unreadable = Some(Cause::Certificate { detail: Detail::BrokenCertificate });
        let Ok((_, read)) = X509Certificate::from_der(self.end_entity) else { return unreadable };
        let Ok(parsed) = ParsedCertificate::try_from(self.end_entity) else { return unreadable };
        if verify_server_name(&parsed, self.server_name).is_err() {
            let names = names(&read);
            let subject = by_hand && names.is_empty() && is_common_name(&read, self.server_name);
            if !subject {
                let named = if names.is_empty() { common_names(&read) } else { names };
                // A name in the subject alone doesn't count, be it the right one.
                let counts = |name: &String| !name.eq_ignore_ascii_case(&self.server_name.to_str());
                let named = named.into_iter().filter(counts).collect();
                return Some(Cause::WrongName { detail: Detail::OtherNames(named) });
            }
        }
        let validity = read.validity();
        let clock = time(i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX));
        let (begins, ends) = (time(validity.not_before.timestamp()), time(validity.not_after.timestamp()));
        if clock < begins {
            return Some(Cause::Clock { says: clock, begins });
        }
        (clock > ends).then_some(Cause::Certificate { detail: Detail::Expired { ended: ends, clock } })
    }

    /// Why the platform's verifier refuses it: what can be said for sure comes first. `None`: not a matter of the
    /// certificate.
    fn explained(&self, error: &rustls::Error) -> Option<Cause> {
        let rustls::Error::InvalidCertificate(reason) = error else { return None };
        let certificate = |detail| Some(Cause::Certificate { detail });
        let Ok((_, read)) = X509Certificate::from_der(self.end_entity) else {
            return certificate(Detail::BrokenCertificate);
        };
        // What was made by hand may be trusted by hand.
        let is_self_signed = read.issuer() == read.subject();
        if let Some(cause) = self.trouble_of_itself(is_self_signed) {
            return Some(cause);
        }
        // Of another certificate of the chain.
        if let CertificateError::NotValidYetContext { time, not_before } = reason {
            return Some(Cause::Clock { says: from_unix(*time), begins: from_unix(*not_before) });
        }
        let is_other = matches!(reason, CertificateError::Other(_));
        // One of the same name is trusted, such as this server's before it was renewed.
        let is_another = *reason == CertificateError::BadSignature;
        if is_self_signed && (is_other || is_another || *reason == CertificateError::UnknownIssuer) {
            return certificate(Detail::SelfSigned);
        }
        if is_other && read.is_ca() {
            return certificate(Detail::AuthorityAsServer);
        }
        if *reason == CertificateError::UnknownIssuer {
            let last = self.intermediates.last().and_then(|last| X509Certificate::from_der(last).ok());
            return certificate(match last {
                None => Detail::ComesAlone { issuer: name(read.issuer()) },
                Some((_, last)) => Detail::UnknownAuthority { issuer: name(last.issuer()) },
            });
        }
        certificate(refused(reason))
    }
}

/// What the library's reason means, where the certificate itself isn't at hand.
pub(crate) fn refused(reason: &CertificateError) -> Detail {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the reasons are not ours, and grow")]
    match reason {
        CertificateError::ExpiredContext { time, not_after } => {
            Detail::Expired { ended: from_unix(*not_after), clock: from_unix(*time) }
        }
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => {
            Detail::BrokenCertificate
        }
        CertificateError::Revoked => Detail::Revoked,
        CertificateError::BadSignature => Detail::BadSignature,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            Detail::UnsupportedSignature
        }
        CertificateError::InvalidPurpose => Detail::WrongPurpose,
        CertificateError::InvalidPurposeContext { required: ExtendedKeyPurpose::ServerAuth, .. } => {
            Detail::WrongPurpose
        }
        _ => Detail::NotTrusted,
    }
}

/// The hosts that a certificate names as RFC 6125 wants it.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others name no host")]
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn common_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject().iter_common_name();
    names.filter_map(|name| name.as_str().ok().map(str::to_owned)).collect()
}

fn is_common_name(certificate: &X509Certificate<'_>, wanted: &ServerName<'_>) -> bool {
    let wanted = wanted.to_str();
    common_names(certificate).iter().any(|name| name.eq_ignore_ascii_case(&wanted))
}

/// Whom people know by it: the organisation, else the common name.
fn name(name: &X509Name<'_>) -> String {
    let mut parts = name.iter_common_name().chain(name.iter_organization());
    parts.find_map(|part| part.as_str().ok().map(str::to_owned)).unwrap_or_else(|| "?".to_owned())
}

/// From seconds since 1970; earlier is never asked for.
fn time(seconds: i64) -> SystemTime {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn from_unix(at: UnixTime) -> SystemTime {
    time(i64::try_from(at.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rcgen::{
        BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
    };

    use super::*;
    use crate::way::tls::trust as trust_of;

    /// Noon of 15 June of a year.
    fn clock(year: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_556_952 + 165 * 86_400))
    }

    /// How a certificate is made: as `openssl req -x509` does, from 2024 to 2034, unless changed.
    struct Made {
        subject: &'static str,
        names: &'static [&'static str],
        is_ca: bool,
    }

    const BY_HAND: Made = Made { subject: "desk.example", names: &["desk.example"], is_ca: true };

    impl Made {
        fn params(&self) -> CertificateParams {
            let names: Vec<_> = self.names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).expect("names");
            params.distinguished_name.push(DnType::CommonName, self.subject);
            if self.is_ca {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }
            params.not_before = date_time_ymd(2024, 1, 1);
            params.not_after = date_time_ymd(2034, 1, 1);
            params
        }

        fn self_signed(&self) -> Certificate {
            self.params().self_signed(&KeyPair::generate().expect("a key")).expect("signed")
        }

        fn signed_by(&self, issuer: &Issuer<'_, KeyPair>) -> Certificate {
            self.params().signed_by(&KeyPair::generate().expect("a key"), issuer).expect("signed")
        }

        fn issuer(&self) -> (Certificate, Issuer<'static, KeyPair>) {
            let key = KeyPair::generate().expect("a key");
            (self.params().self_signed(&key).expect("signed"), Issuer::new(self.params(), key))
        }
    }

    /// What a channel that trusts `ca_file` says of a server at `host`.
    fn said(ca_file: &Certificate, shown: &[&Certificate], host: &str, now: UnixTime) -> String {
        let trust = trust_of(&Mutex::default(), Some(ca_file.pem().as_bytes())).expect("a good ca_file");
        let host = ServerName::try_from(host.to_owned()).expect("a host");
        let chain: Vec<_> = shown.iter().map(|one| one.der().clone()).collect();
        let (first, rest) = chain.split_first().expect("one at least");
        match trust.verify_server_cert(first, rest, &host, &[], now) {
            Ok(_) => "trusted".to_owned(),
            Err(error) => {
                crate::way::tls::failure(&std::io::Error::other(error)).expect("about TLS").to_string()
            }
        }
    }

    #[test]
    fn a_certificate_that_openssl_made_is_trusted_when_ca_file_holds_it_and_no_other_is() {
        let other = BY_HAND.self_signed();
        for made in [
            BY_HAND,
            Made { is_ca: false, ..BY_HAND },
            // Without -addext the host stands in the subject alone.
            Made { names: &[], ..BY_HAND },
            Made { names: &[], is_ca: false, ..BY_HAND },
        ] {
            let ours = made.self_signed();
            assert_eq!(said(&ours, &[&ours], "desk.example", clock(2026)), "trusted");
            assert_eq!(
                said(&ours, &[&ours], "shop.example", clock(2026)),
                "certificate for another name (it is for desk.example)"
            );
            assert_ne!(said(&other, &[&ours], "desk.example", clock(2026)), "trusted");
        }
        let (_, issuer) = Made { subject: "Ann's authority", names: &[], is_ca: true }.issuer();
        let leaf = Made { is_ca: false, ..BY_HAND }.signed_by(&issuer);
        assert_eq!(
            said(&leaf, &[&leaf], "desk.example", clock(2026)),
            "trusted",
            "its authority isn't needed"
        );
    }

    #[test]
    fn what_is_refused_is_told_by_what_is_wrong_with_it() {
        let ours = BY_HAND.self_signed();
        let theirs = BY_HAND.self_signed();
        let (root, issuer) = Made { subject: "Ann's authority", names: &[], is_ca: true }.issuer();
        let middle_key = KeyPair::generate().expect("a key");
        let middle_params = Made { subject: "Ann's intermediate", names: &[], is_ca: true }.params();
        let middle = middle_params.signed_by(&middle_key, &issuer).expect("signed");
        let leaf = Made { is_ca: false, ..BY_HAND }.signed_by(&Issuer::new(middle_params, middle_key));
        let authority = BY_HAND.signed_by(&issuer);
        let told =
            |ca_file: &Certificate, shown: &[&Certificate], now| said(ca_file, shown, "desk.example", now);
        assert_eq!(told(&root, &[&leaf, &middle], clock(2026)), "trusted");
        assert_eq!(
            told(&root, &[&leaf], clock(2026)),
            "certificate refused (the server sends no intermediate certificate, and its issuer isn't known here: \
             Ann's intermediate)"
        );
        assert_eq!(
            told(&ours, &[&leaf, &middle], clock(2026)),
            "certificate refused (its authority isn't trusted here: Ann's authority)"
        );
        assert_eq!(
            told(&ours, &[&theirs], clock(2026)),
            "certificate refused (it vouches for itself, and nobody here trusts it)"
        );
        for by_hand in [Made { names: &[], ..BY_HAND }, Made { names: &[], is_ca: false, ..BY_HAND }] {
            assert_eq!(
                told(&ours, &[&by_hand.self_signed()], clock(2026)),
                "certificate refused (it vouches for itself, and nobody here trusts it)"
            );
        }
        let nameless = Made { names: &[], is_ca: false, ..BY_HAND }.signed_by(&issuer);
        assert_eq!(told(&root, &[&nameless], clock(2026)), "certificate for another name (it names no host)");
        assert_eq!(
            told(&root, &[&authority], clock(2026)),
            "certificate refused (it is an authority's own, and no server's)"
        );
        for trusted in [&ours, &root] {
            assert_eq!(
                told(trusted, &[&ours], clock(2040)),
                "certificate refused (it ended on 2034-01-01, and this machine's clock says 2040-06-13)"
            );
            assert_eq!(
                told(trusted, &[&ours], clock(2020)),
                "this machine's clock seems wrong: it says 2020-06-14, and the server's certificate begins on \
                 2024-01-01"
            );
        }
    }

    #[test]
    fn a_hotspots_certificate_is_for_another_name_whoever_made_it() {
        let ours = BY_HAND.self_signed();
        let (_, issuer) = Made { subject: "Hotspot", names: &[], is_ca: true }.issuer();
        let portal = Made { subject: "portal", names: &["login.portal.example"], is_ca: false };
        for shown in
            [portal.signed_by(&issuer), portal.self_signed(), Made { is_ca: true, ..portal }.self_signed()]
        {
            for now in [2020, 2026, 2040] {
                let told = said(&ours, &[&shown], "desk.example", clock(now));
                assert_eq!(told, "certificate for another name (it is for login.portal.example)");
            }
        }
    }
}
