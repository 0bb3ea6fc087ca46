//! JSON Web Tokens (RFC 7519) as credentials: `sub` is the user, and the link ends at `exp`.
//!
//! What a token's head says chooses nothing but among our keys. Each key has the one algorithm that its kind has here,
//! so that none is ever used by another: neither `none`, nor a public key as the secret of an HMAC. Keys or addresses
//! that a head names (`jwk`, `jku`, `x5u`) are not looked at.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::Once,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use ring::{hmac, signature as keyed};
use serde::Deserialize;
use serde_json::Value;
use signature::Verifier;

use super::guest::{By, Denied, Guest, is_user};

/// The longest token that is looked at. Too low: tokens with many claims are refused; too high: more work for whoever
/// sends rubbish.
const LONGEST: usize = 8 << 10;
/// How far an issuer's clock may be ahead of ours: a token is used in the second in which it was made. Too low: fresh
/// tokens are refused; too high: `nbf` says little. For `exp` there is none: it is when the link ends.
const AHEAD: Duration = Duration::from_secs(10);
/// The shortest secret for HS256 (RFC 7518, section 3.2): shorter ones can be guessed from a single token.
const SHORTEST_SECRET: usize = 32;
/// The shortest modulus of an RSA key, in bytes (RFC 7518, section 3.3).
const SHORTEST_MODULUS: usize = 256;
/// A point of P-256 as it is written uncompressed.
const POINT: usize = 65;
/// How many keys a set may have. Too low: an issuer's set is refused; too high: a token without `kid` is tried with all.
const MOST_KEYS: usize = 100;

/// Why a file can't be used as keys. Holds nothing of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// A secret that could be guessed.
    #[error("a secret for HS256 has at least {SHORTEST_SECRET} bytes")]
    ShortSecret,
    /// Something that is public, or of another kind, and must not become a secret by mistake.
    #[error(
        "this is {0}: give a PEM file with the public key, a secret of your own, or a JWKS by --jwt-keys"
    )]
    NoSecret(&'static str),
    /// PEM, but no public key of RSA or P-256.
    #[error("the PEM holds no public key of RSA (2048 bits or more) or P-256 (`-----BEGIN PUBLIC KEY-----`)")]
    NoPublicKey,
    /// No JWKS.
    #[error("it is no JSON of the form {{\"keys\": […]}} with at most {MOST_KEYS} keys")]
    NoSet,
    /// A JWKS with nothing to check tokens by.
    #[error("no key in it is for HS256, RS256 or ES256")]
    NoUsable,
}

/// JSON Web Tokens (RFC 7519) as credentials: by HS256, RS256 or ES256, as the key is.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// What they are checked by. It is read again when it changes.
    pub keys: KeyFile,
    /// What has to be in `aud`; `None`: tokens with an `aud` are for others.
    pub audience: Option<String>,
    /// What `iss` has to be; `None`: it isn't looked at.
    pub issuer: Option<String>,
}

/// A file with keys.
#[derive(Debug, Clone)]
pub enum KeyFile {
    /// One key: a public one as PEM, or a secret.
    One(PathBuf),
    /// A JWKS (RFC 7517).
    Set(PathBuf),
}

impl KeyFile {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::One(file) | Self::Set(file) => file,
        }
    }
}

/// What a token has to say beside who it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) audience: Option<String>,
    pub(crate) issuer: Option<String>,
}

/// The keys by which tokens are checked.
#[derive(Debug)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    /// Its name in the set.
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
    /// Tells it from others once the file has changed.
    mark: u64,
}

/// Only what is asked for. A member that is there twice is an error.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

impl Keys {
    /// Reads a file with one key: a public one as PEM, else a secret.
    pub(crate) fn of_key(bytes: &[u8]) -> Result<Self, KeyError> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        if text.contains("-----BEGIN ") {
            return Ok(Self(vec![public_key(text)?]));
        }
        let secret = bytes.trim_ascii_end();
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        if let Some(what) = not_secret(bytes, text) {
            return Err(KeyError::NoSecret(what));
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(KeyError::ShortSecret);
        }
        let key = DecodingKey::from_secret(secret).map_err(|_| KeyError::Empty)?;
        Ok(Self(vec![Key::of(None, Algorithm::HS256, key).ok_or(KeyError::ShortSecret)?]))
    }

    /// Reads a JWKS (RFC 7517). Keys in it for something else are passed over.
    pub(crate) fn of_set(bytes: &[u8]) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let Set { keys } = serde_json::from_slice(bytes).map_err(|_| KeyError::NoSet)?;
        if keys.len() > MOST_KEYS {
            return Err(KeyError::NoSet);
        }
        let (all, keys): (_, Vec<Key>) = (keys.len(), keys.into_iter().filter_map(key_of_set).collect());
        if keys.is_empty() {
            return Err(KeyError::NoUsable);
        }
        if keys.len() < all {
            tracing::info!(
                "of {all} keys {} are for something else than HS256, RS256 and ES256",
                all - keys.len()
            );
        }
        Ok(Self(keys))
    }

    /// Whether a token that was checked by this key would still be.
    pub(crate) fn has(&self, mark: u64) -> bool {
        self.0.iter().any(|key| key.mark == mark)
    }

    /// Who a token is for.
    pub(crate) fn read(&self, token: &str, rules: &Rules, now: SystemTime) -> Result<Guest, Denied> {
        const BAD: Denied = Denied::Unknown("this token is not good");
        if token.len() > LONGEST {
            return Err(Denied::Unknown("this token is too long"));
        }
        install_ring();
        let head = decode_header(token).map_err(|_| BAD)?;
        // What must be understood (RFC 7515, section 4.1.11): nothing of that is known here.
        if head.crit.is_some() || head.enc.is_some() || head.zip.is_some() {
            return Err(BAD);
        }
        let named = |key: &&Key| match (&head.kid, &key.kid) {
            (Some(asked), Some(kid)) => asked == kid,
            (None, _) | (_, None) => true,
        };
        for key in self.0.iter().filter(|key| key.algorithm == head.alg).filter(named) {
            // Times and names are compared below, by the time that is given.
            let mut validation = Validation::new(key.algorithm);
            validation.set_required_spec_claims::<&str>(&[]);
            (validation.validate_exp, validation.validate_aud) = (false, false);
            if let Ok(token) = decode::<Claims>(token, &key.key, &validation) {
                let (user, until) = judge(token.claims, rules, now)?;
                return Ok(Guest { user, until: Some(until), by: By::Key(key.mark) });
            }
        }
        Err(BAD)
    }
}

/// What the claims of a token, whose signature is right, come to.
fn judge(claims: Claims, rules: &Rules, now: SystemTime) -> Result<(String, SystemTime), Denied> {
    let denied = |why| Err(Denied::Unknown(why));
    let Claims { sub, exp, nbf, iss, aud } = claims;
    let Some(until) = exp.and_then(time) else { return denied("this token has no exp that could be read") };
    if until <= now {
        return denied("this token has expired");
    }
    match nbf.map(time) {
        None => {}
        Some(Some(nbf)) if nbf <= now + AHEAD => {}
        Some(Some(_)) => return denied("this token is not good yet"),
        Some(None) => return denied("the nbf of this token can't be read"),
    }
    if rules.issuer.is_some() && iss != rules.issuer {
        return denied("this token is of another issuer");
    }
    let fits = match (&rules.audience, &aud) {
        (Some(wanted), Some(aud)) => aud.names(wanted),
        (Some(_), None) => false,
        // RFC 7519, section 4.1.3: who is not named by it must not take it.
        (None, Some(_)) => false,
        (None, None) => true,
    };
    if !fits {
        return denied("this token is for another audience");
    }
    match sub {
        Some(sub) if is_user(&sub) => Ok((sub, until)),
        Some(_) => denied("the sub of this token is no user name"),
        None => denied("this token has no sub"),
    }
}

/// Seconds since 1970, which may have a fraction.
fn time(seconds: f64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

/// What is no secret, though it has bytes enough.
fn not_secret(bytes: &[u8], text: &str) -> Option<&'static str> {
    // A sequence whose length takes one or two bytes more: how DER begins.
    if matches!(bytes, [0x30, 0x81 | 0x82, ..])
        || matches!(bytes, [0x30, length, rest @ ..] if rest.len() == usize::from(*length))
    {
        return Some("a key as DER");
    }
    if serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object() || value.is_array()) {
        return Some("JSON");
    }
    ["ssh-", "ecdsa-sha2-", "sk-", "---- BEGIN SSH2"]
        .iter()
        .any(|start| text.starts_with(start))
        .then_some("a key of SSH")
}

fn public_key(pem: &str) -> Result<Key, KeyError> {
    if ["PRIVATE KEY", "CERTIFICATE"].iter().any(|label| pem.contains(label)) {
        return Err(KeyError::NoPublicKey);
    }
    let rsa =
        DecodingKey::from_rsa_pem(pem.as_bytes()).ok().and_then(|key| Key::of(None, Algorithm::RS256, key));
    let ec =
        || DecodingKey::from_ec_pem(pem.as_bytes()).ok().and_then(|key| Key::of(None, Algorithm::ES256, key));
    rsa.or_else(ec).ok_or(KeyError::NoPublicKey)
}

fn key_of_set(key: Value) -> Option<Key> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let algorithm = if let AlgorithmParameters::RSA(_) = &key.algorithm {
        Algorithm::RS256
    } else if let AlgorithmParameters::OctetKey(_) = &key.algorithm {
        Algorithm::HS256
    } else if let AlgorithmParameters::EllipticCurve(curve) = &key.algorithm
        && curve.curve == EllipticCurve::P256
    {
        Algorithm::ES256
    } else {
        return None;
    };
    let for_it = key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    let signs = key.common.public_key_use.as_ref().is_none_or(|what| *what == PublicKeyUse::Signature);
    if !for_it || !signs {
        return None;
    }
    Key::of(key.common.key_id.clone(), algorithm, DecodingKey::from_jwk(&key).ok()?)
}

impl Key {
    /// `None`: too short for what it is to prove.
    fn of(kid: Option<String>, algorithm: Algorithm, key: DecodingKey) -> Option<Self> {
        let mut mark = DefaultHasher::new();
        algorithm.hash(&mut mark);
        let fits = match (key.kind(), key.family()) {
            (DecodingKeyKind::SecretOrDer(bytes), family) => {
                bytes.hash(&mut mark);
                match family {
                    AlgorithmFamily::Hmac => bytes.len() >= SHORTEST_SECRET,
                    AlgorithmFamily::Rsa => bytes.len() >= SHORTEST_MODULUS,
                    AlgorithmFamily::Ec => bytes.len() == POINT,
                    AlgorithmFamily::Ed => false,
                }
            }
            (DecodingKeyKind::RsaModulusExponent { n, e }, _) => {
                (n, e).hash(&mut mark);
                n.len() >= SHORTEST_MODULUS
            }
        };
        fits.then(|| Self { kid, algorithm, key, mark: mark.finish() })
    }
}

/// Gives the library the cryptography that this program has anyway.
fn install_ring() {
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: no_signer,
        verifier_factory: verifier,
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another one would have to be installed by ourselves.
        let _ = RING.install_default();
    });
}

fn no_signer(_: &Algorithm, _: &EncodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac)
        | (Algorithm::RS256, AlgorithmFamily::Rsa)
        | (Algorithm::ES256, AlgorithmFamily::Ec) => {
            Ok(Box::new(Check { algorithm: *algorithm, key: key.clone() }))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

struct Check {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], proof: &Vec<u8>) -> Result<(), signature::Error> {
        let right = match (self.key.kind(), self.key.family()) {
            (DecodingKeyKind::SecretOrDer(secret), AlgorithmFamily::Hmac) => {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), message, proof)
            }
            (DecodingKeyKind::SecretOrDer(key), AlgorithmFamily::Rsa) => {
                keyed::UnparsedPublicKey::new(&keyed::RSA_PKCS1_2048_8192_SHA256, key).verify(message, proof)
            }
            (DecodingKeyKind::RsaModulusExponent { n, e }, AlgorithmFamily::Rsa) => {
                keyed::RsaPublicKeyComponents { n, e }.verify(
                    &keyed::RSA_PKCS1_2048_8192_SHA256,
                    message,
                    proof,
                )
            }
            (DecodingKeyKind::SecretOrDer(key), AlgorithmFamily::Ec) => {
                keyed::UnparsedPublicKey::new(&keyed::ECDSA_P256_SHA256_FIXED, key).verify(message, proof)
            }
            (_, AlgorithmFamily::Hmac | AlgorithmFamily::Ec | AlgorithmFamily::Ed) => {
                Err(ring::error::Unspecified)
            }
        };
        right.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
pub(crate) mod tests;
