//! An authority that no system knows, and what it has signed.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Makes one in this folder: `ca.pem` is its own certificate, `cert.pem` and `key.pem` are this machine's, and `client.pem` is the
/// certificate with the key of a client.
pub fn certify(folder: &Path) -> anyhow::Result<()> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "An authority of our own");
    let key = KeyPair::generate()?;
    fs::write(folder.join("ca.pem"), params.self_signed(&key)?.pem())?;
    let authority = Issuer::new(params, key);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
    fs::write(folder.join("cert.pem"), certificate.pem())?;
    fs::write(folder.join("key.pem"), key.serialize_pem())?;
    let key = KeyPair::generate()?;
    let client = CertificateParams::new(vec!["desk".to_owned()])?.signed_by(&key, &authority)?;
    fs::write(folder.join("client.pem"), client.pem() + &key.serialize_pem())?;
    Ok(())
}
