use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding},
};
use serde_json::json;

use super::*;

const SECRET: &str = "a secret of more than thirty-two bytes";
const RSA: &str = include_str!("../rsa-for-tests.pem");
/// The time of these tests.
const NOW: u64 = 1_800_000_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn rsa() -> RsaKeyPair {
    let body: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).expect("a PEM file");
    RsaKeyPair::from_pkcs8(&der).expect("an RSA key")
}

fn ec() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).expect("a key")
}

fn token(head: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    signed(&head.to_string(), &claims.to_string(), sign)
}

fn signed(head: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", BASE64.encode(head), BASE64.encode(claims));
    let proof = BASE64.encode(sign(message.as_bytes()));
    format!("{message}.{proof}")
}

fn by_secret(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |message| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

fn by_rsa(message: &[u8]) -> Vec<u8> {
    rs(message, &RSA_PKCS1_SHA256)
}

fn rs(message: &[u8], how: &'static dyn RsaEncoding) -> Vec<u8> {
    let key = rsa();
    let mut proof = vec![0; key.public().modulus_len()];
    key.sign(how, &SystemRandom::new(), message, &mut proof).expect("signed");
    proof
}

fn by_ec(key: &EcdsaKeyPair) -> impl FnOnce(&[u8]) -> Vec<u8> + '_ {
    |message| key.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec()
}

/// The public half as it stands in PEM files.
fn rsa_pem() -> String {
    // SubjectPublicKeyInfo: the kind (rsaEncryption, NULL), then the key in a bit string.
    let kind =
        [&[0x30, 0x0d, 0x06, 0x09][..], &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], &[5, 0]].concat();
    pem(&kind, rsa().public().as_ref())
}

fn ec_pem(key: &EcdsaKeyPair) -> String {
    let kind = [
        &[0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1][..],
        &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
    ];
    pem(&kind.concat(), key.public_key().as_ref())
}

fn pem(kind: &[u8], key: &[u8]) -> String {
    let bits = der(0x03, &[&[0], key].concat());
    let whole = der(0x30, &[kind, &bits].concat());
    let body = base64::engine::general_purpose::STANDARD.encode(whole);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn rsa_jwk(kid: &str) -> Value {
    let key = rsa();
    let public: ring::rsa::PublicKeyComponents<Vec<u8>> = key.public().into();
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": BASE64.encode(public.n), "e": BASE64.encode(public.e) })
}

fn ec_jwk(kid: &str, key: &EcdsaKeyPair) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": BASE64.encode(x), "y": BASE64.encode(y) })
}

fn set(keys: &[Value]) -> Result<Keys, KeyError> {
    Keys::of_set(json!({ "keys": keys }).to_string().as_bytes())
}

fn secret() -> Keys {
    Keys::of_key(SECRET.as_bytes()).expect("a secret")
}

fn claims() -> Value {
    json!({ "sub": "ann", "exp": NOW + 60 })
}

fn user(keys: &Keys, token: &str) -> Option<String> {
    keys.read(token, &Rules::default(), now()).ok().map(|guest| guest.user)
}

#[test]
fn a_token_by_each_algorithm_names_its_user_and_its_end() {
    let ec = ec();
    let (rsa_key, ec_key) = (Keys::of_key(rsa_pem().as_bytes()), Keys::of_key(ec_pem(&ec).as_bytes()));
    let (rsa_key, ec_key) = (rsa_key.expect("an RSA key"), ec_key.expect("a key of P-256"));
    for (keys, token) in [
        (&secret(), token(&json!({ "alg": "HS256" }), &claims(), by_secret(SECRET.as_bytes()))),
        (
            &Keys::of_key(format!("{SECRET}\n").as_bytes()).expect("a line"),
            token(&json!({ "alg": "HS256", "typ": "JWT" }), &claims(), by_secret(SECRET.as_bytes())),
        ),
        (&rsa_key, token(&json!({ "alg": "RS256", "kid": "any" }), &claims(), by_rsa)),
        (&ec_key, token(&json!({ "alg": "ES256" }), &claims(), by_ec(&ec))),
    ] {
        let guest = keys.read(&token, &Rules::default(), now()).expect("a good token");
        assert_eq!((guest.user.as_str(), guest.until), ("ann", Some(now() + Duration::from_secs(60))));
        assert!(matches!(guest.by, By::Key(mark) if keys.has(mark)));
    }
}

#[test]
fn no_token_is_taken_whose_claims_are_wrong() {
    let wrong = [
        (json!({ "sub": "ann", "exp": NOW }), "ends now"),
        (json!({ "sub": "ann", "exp": NOW - 1 }), "expired"),
        (json!({ "sub": "ann", "exp": -1 }), "before 1970"),
        (json!({ "sub": "ann", "exp": 1e300 }), "no time"),
        (json!({ "sub": "ann", "exp": "1900000000" }), "a text as a time"),
        (json!({ "sub": "ann", "exp": null }), "null"),
        (json!({ "sub": "ann" }), "no exp"),
        (json!({ "sub": "ann", "exp": NOW + 60, "nbf": NOW + 11 }), "not yet"),
        (json!({ "sub": "ann", "exp": NOW + 60, "nbf": "now" }), "nbf is no number"),
        (json!({ "sub": "ann", "exp": NOW + 60, "nbf": -5.5 }), "nbf is no time"),
        (json!({ "exp": NOW + 60 }), "no sub"),
        (json!({ "sub": "", "exp": NOW + 60 }), "nobody"),
        (json!({ "sub": 7, "exp": NOW + 60 }), "a number"),
        (json!({ "sub": ["ann"], "exp": NOW + 60 }), "a list"),
        (json!({ "sub": "an\u{0}n", "exp": NOW + 60 }), "NUL"),
        (json!({ "sub": "ann\n", "exp": NOW + 60 }), "a line's end"),
        (json!({ "sub": "ann\u{7f}", "exp": NOW + 60 }), "DEL"),
        (json!({ "sub": "ann\u{85}", "exp": NOW + 60 }), "NEL"),
        (json!({ "sub": "x".repeat(129), "exp": NOW + 60 }), "too long"),
        (json!({ "sub": "ann", "exp": NOW + 60, "aud": "shop" }), "an audience that we are not"),
        (json!({ "sub": "ann", "exp": NOW + 60, "aud": ["shop"] }), "audiences that we are not among"),
        (json!({ "sub": "ann", "exp": NOW + 60, "aud": 7 }), "an audience that is a number"),
        (json!(["ann"]), "a list"),
        (json!("ann"), "a text"),
    ];
    for (claims, why) in wrong {
        let token = token(&json!({ "alg": "HS256" }), &claims, by_secret(SECRET.as_bytes()));
        assert_eq!(user(&secret(), &token), None, "{why}");
    }
    let twice = format!(r#"{{"sub":"bob","sub":"ann","exp":{}}}"#, NOW + 60);
    assert_eq!(user(&secret(), &signed(r#"{"alg":"HS256"}"#, &twice, by_secret(SECRET.as_bytes()))), None);
    for right in [
        json!({ "sub": "小明 ../%2F&?", "exp": NOW + 60 }),
        json!({ "sub": "ann", "exp": NOW as f64 + 0.5, "nbf": NOW + 9, "iat": "whatever", "more": [1] }),
        json!({ "sub": "x".repeat(128), "exp": NOW * 2 }),
    ] {
        let token = token(&json!({ "alg": "HS256" }), &right, by_secret(SECRET.as_bytes()));
        assert_eq!(user(&secret(), &token).as_deref(), right["sub"].as_str());
    }
}

#[test]
fn no_token_is_taken_whose_head_or_signature_is_wrong() {
    let ec = ec();
    let rsa_key = Keys::of_key(rsa_pem().as_bytes()).expect("an RSA key");
    let ec_key = Keys::of_key(ec_pem(&ec).as_bytes()).expect("a key of P-256");
    let good = token(&json!({ "alg": "HS256" }), &claims(), by_secret(SECRET.as_bytes()));
    let (message, proof) = good.rsplit_once('.').expect("a token");
    let nothing = |_: &[u8]| Vec::new();
    let own_key = json!({ "alg": "RS256", "jwk": rsa_jwk("own"), "jku": "https://evil.example/keys" });
    let stranger = self::ec();
    let wrong = [
        (&secret(), format!("{message}."), "no signature"),
        (&secret(), message.to_owned(), "two parts"),
        (&secret(), format!("{good}."), "four parts"),
        (&secret(), format!("{message}.{}", &proof[1..]), "a shorter signature"),
        (&secret(), format!("{message}.{proof}="), "padding"),
        (
            &secret(),
            token(&json!({ "alg": "HS256" }), &claims(), by_secret(b"another secret of the right length")),
            "another secret",
        ),
        (&secret(), token(&json!({ "alg": "none" }), &claims(), nothing), "none"),
        (&secret(), token(&json!({ "alg": "None" }), &claims(), nothing), "None"),
        (&secret(), token(&json!({ "alg": "NONE" }), &claims(), by_secret(SECRET.as_bytes())), "NONE"),
        (&secret(), token(&json!({ "alg": "" }), &claims(), nothing), "an empty name"),
        (&secret(), token(&json!({ "typ": "JWT" }), &claims(), by_secret(SECRET.as_bytes())), "no algorithm"),
        (&secret(), token(&json!({ "alg": ["HS256"] }), &claims(), by_secret(SECRET.as_bytes())), "a list"),
        (
            &secret(),
            token(&json!({ "alg": "HS512" }), &claims(), by_secret(SECRET.as_bytes())),
            "another HMAC",
        ),
        (&secret(), token(&json!({ "alg": "RS256" }), &claims(), by_rsa), "a public key where a secret is"),
        (
            &secret(),
            token(
                &json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
                &claims(),
                by_secret(SECRET.as_bytes()),
            ),
            "crit",
        ),
        (
            &secret(),
            token(&json!({ "alg": "HS256", "crit": [] }), &claims(), by_secret(SECRET.as_bytes())),
            "an empty crit",
        ),
        (
            &secret(),
            token(&json!({ "alg": "HS256", "crit": "exp" }), &claims(), by_secret(SECRET.as_bytes())),
            "crit as a text",
        ),
        (
            &secret(),
            token(&json!({ "alg": "HS256", "b64": false }), &claims(), by_secret(SECRET.as_bytes())),
            "b64 without crit",
        ),
        (
            &secret(),
            token(&json!({ "alg": "HS256", "zip": "DEF" }), &claims(), by_secret(SECRET.as_bytes())),
            "zip",
        ),
        (&rsa_key, token(&json!({ "alg": "none" }), &claims(), nothing), "none by an RSA key"),
        (
            &rsa_key,
            token(&json!({ "alg": "HS256" }), &claims(), by_secret(rsa_pem().as_bytes())),
            "the PEM as a secret",
        ),
        (
            &rsa_key,
            token(&json!({ "alg": "HS256" }), &claims(), by_secret(rsa_pem().trim().as_bytes())),
            "the same without its end",
        ),
        (
            &rsa_key,
            token(&json!({ "alg": "HS256" }), &claims(), by_secret(rsa().public().as_ref())),
            "the key's bytes as a secret",
        ),
        (
            &rsa_key,
            token(&json!({ "alg": "RS256" }), &claims(), by_secret(rsa_pem().as_bytes())),
            "an HMAC that says RS256",
        ),
        (
            &rsa_key,
            token(&json!({ "alg": "RS512" }), &claims(), |message| {
                rs(message, &ring::signature::RSA_PKCS1_SHA512)
            }),
            "RS512",
        ),
        (
            &rsa_key,
            token(&json!({ "alg": "PS256" }), &claims(), |message| {
                rs(message, &ring::signature::RSA_PSS_SHA256)
            }),
            "PS256",
        ),
        (
            &rsa_key,
            token(&json!({ "alg": "RS256" }), &claims(), |message| {
                rs(message, &ring::signature::RSA_PSS_SHA256)
            }),
            "PSS that says RS256",
        ),
        (
            &ec_key,
            token(&json!({ "alg": "HS256" }), &claims(), by_secret(ec.public_key().as_ref())),
            "the point as a secret",
        ),
        (&ec_key, token(&json!({ "alg": "ES256" }), &claims(), by_ec(&stranger)), "another key of P-256"),
        (&ec_key, token(&json!({ "alg": "ES256" }), &claims(), |_| vec![0; 64]), "a signature of zeros"),
        (&ec_key, token(&own_key, &claims(), by_rsa), "a key that it brings along"),
        (&ec_key, token(&json!({ "alg": "ES384" }), &claims(), by_ec(&ec)), "ES384"),
    ];
    for (keys, token, why) in wrong {
        assert_eq!(user(keys, &token), None, "{why}");
    }
    for rubbish in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "ä.ö.ü",
        "\u{0}.\u{0}.\u{0}",
        "e30.e30.e30",
        " . . ",
        "bnVsbA.bnVsbA.bnVsbA",
    ] {
        assert_eq!(user(&secret(), rubbish), None, "{rubbish:?}");
    }
    let huge = json!({ "sub": "ann", "exp": NOW + 60, "more": "x".repeat(LONGEST) });
    let huge = token(&json!({ "alg": "HS256" }), &huge, by_secret(SECRET.as_bytes()));
    assert_eq!(user(&secret(), &huge), None, "huge, though good");
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    assert_eq!(user(&secret(), &signed(&deep, &deep, by_secret(SECRET.as_bytes()))), None, "deep");
    assert_eq!(user(&secret(), &good).as_deref(), Some("ann"), "for comparison");
}

#[test]
fn one_bit_more_or_less_anywhere_is_no_token_any_more() {
    let good = token(&json!({ "alg": "HS256" }), &claims(), by_secret(SECRET.as_bytes()));
    for place in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[place] ^= 1;
        let Ok(other) = String::from_utf8(bytes) else { continue };
        assert_eq!(user(&secret(), &other), None, "{place}: {other}");
    }
}

#[test]
fn audience_and_issuer_are_asked_for_where_they_are_set() {
    let rules = Rules { audience: Some("tidings".into()), issuer: Some("https://id.example".into()) };
    let read = |aud: Value, iss: Value| {
        let claims = json!({ "sub": "ann", "exp": NOW + 60, "aud": aud, "iss": iss });
        let token = token(&json!({ "alg": "HS256" }), &claims, by_secret(SECRET.as_bytes()));
        secret().read(&token, &rules, now()).is_ok()
    };
    let issuer = || json!("https://id.example");
    assert!(read(json!("tidings"), issuer()) && read(json!(["shop", "tidings"]), issuer()));
    for aud in [json!("shop"), json!(["shop"]), json!([]), json!(null), json!("tidings "), json!("TIDINGS")] {
        assert!(!read(aud.clone(), issuer()), "{aud}");
    }
    for iss in [json!("https://evil.example"), json!(null), json!(""), json!(["https://id.example"])] {
        assert!(!read(json!("tidings"), iss.clone()), "{iss}");
    }
}

#[test]
fn a_set_is_asked_for_the_key_that_is_named_and_by_its_own_algorithm() {
    let (key, other) = (ec(), ec());
    let oct = json!({ "kty": "oct", "kid": "s", "k": BASE64.encode(SECRET) });
    let keys = set(&[rsa_jwk("r"), ec_jwk("e", &key), oct]).expect("three keys");
    let head = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
    assert_eq!(user(&keys, &token(&head("RS256", "r"), &claims(), by_rsa)).as_deref(), Some("ann"));
    assert_eq!(user(&keys, &token(&head("ES256", "e"), &claims(), by_ec(&key))).as_deref(), Some("ann"));
    assert_eq!(
        user(&keys, &token(&head("HS256", "s"), &claims(), by_secret(SECRET.as_bytes()))).as_deref(),
        Some("ann")
    );
    assert_eq!(
        user(&keys, &token(&json!({ "alg": "ES256" }), &claims(), by_ec(&key))).as_deref(),
        Some("ann")
    );
    for (token, why) in [
        (token(&head("RS256", "e"), &claims(), by_rsa), "the name of another key"),
        (token(&head("RS256", "gone"), &claims(), by_rsa), "the name of none"),
        (token(&head("ES256", "e"), &claims(), by_ec(&other)), "another key by the same name"),
        (token(&head("HS256", "r"), &claims(), by_secret(rsa_pem().as_bytes())), "a public key as a secret"),
        (token(&head("HS256", "e"), &claims(), by_secret(key.public_key().as_ref())), "a point as a secret"),
        (token(&json!({ "alg": "none", "kid": "r" }), &claims(), |_| Vec::new()), "none"),
    ] {
        assert_eq!(user(&keys, &token), None, "{why}");
    }
}

#[test]
fn a_set_passes_over_what_is_for_something_else() {
    let with = |key: Value, name: &str, value: &str| {
        let mut key = key;
        key[name] = value.into();
        key
    };
    let others = [
        with(rsa_jwk("a"), "use", "enc"),
        with(rsa_jwk("b"), "alg", "RS512"),
        with(rsa_jwk("c"), "alg", "RSA-OAEP"),
        with(rsa_jwk("d"), "n", "AQAB"),
        with(ec_jwk("e", &ec()), "crv", "P-384"),
        with(ec_jwk("f", &ec()), "x", "AQ"),
        json!({ "kty": "oct", "k": BASE64.encode("short") }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode([1; 32]) }),
        json!({ "kty": "new", "n": 1 }),
        json!(7),
    ];
    assert_eq!(set(&others).err(), Some(KeyError::NoUsable));
    let mut all = others.to_vec();
    all.push(rsa_jwk("good"));
    let keys = set(&all).expect("one is good");
    assert_eq!(user(&keys, &token(&json!({ "alg": "RS256" }), &claims(), by_rsa)).as_deref(), Some("ann"));
    for bad in ["", "[]", "{}", r#"{"keys":7}"#, "-----BEGIN PUBLIC KEY-----", "\u{0}"] {
        assert_eq!(Keys::of_set(bad.as_bytes()).err(), Some(KeyError::NoSet), "{bad}");
    }
    assert_eq!(set(&vec![json!(7); MOST_KEYS + 1]).err(), Some(KeyError::NoSet), "too many");
}

#[test]
fn what_is_public_or_short_or_private_is_no_key() {
    let no_secret = |bytes: &[u8]| matches!(Keys::of_key(bytes).err(), Some(KeyError::NoSecret(_)));
    assert!(no_secret(rsa().public().as_ref()), "DER");
    assert!(no_secret(json!({ "keys": [rsa_jwk("a")] }).to_string().as_bytes()), "a JWKS");
    assert!(no_secret(format!("\n {}", rsa_jwk("a")).as_bytes()), "a JWK");
    assert!(no_secret(b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDJ ann@desk"), "SSH");
    assert_eq!(Keys::of_key(b"").err(), Some(KeyError::Empty));
    assert_eq!(Keys::of_key(b" \n").err(), Some(KeyError::Empty));
    assert_eq!(Keys::of_key(b"short\n").err(), Some(KeyError::ShortSecret));
    let private = RSA.as_bytes();
    for (bytes, why) in [
        (private.to_vec(), "a private key"),
        ([b"\xff\n".as_slice(), private].concat(), "a private key after rubbish"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_vec(), "no key"),
        (b"-----BEGIN PUBLIC KEY-----".to_vec(), "no end"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(), "a certificate"),
        (pem(&[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70], &[1; 32]).into_bytes(), "Ed25519"),
    ] {
        assert_eq!(Keys::of_key(&bytes).err(), Some(KeyError::NoPublicKey), "{why}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_comes_is_no_token_and_no_end_of_the_program(
        head in "\\PC{0,40}",
        body in "\\PC{0,80}",
        proof in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
        raw in "[A-Za-z0-9_.=-]{0,120}",
    ) {
        let keys = secret();
        proptest::prop_assert_eq!(user(&keys, &raw), None);
        proptest::prop_assert_eq!(user(&keys, &signed(&head, &body, |_| proof.clone())), None);
        let signed_rubbish = signed(r#"{"alg":"HS256"}"#, &body, by_secret(SECRET.as_bytes()));
        proptest::prop_assert_eq!(user(&keys, &signed_rubbish), None);
        let _ = Keys::of_set(body.as_bytes());
        let _ = Keys::of_key(&proof);
        let _ = Keys::of_key(format!("-----BEGIN PUBLIC KEY-----\n{raw}\n-----END PUBLIC KEY-----\n").as_bytes());
    }
}
