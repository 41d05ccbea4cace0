//! RSA keys for phones, made once and handed out again, so that hundreds of phones enrol quickly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::X509;

use super::certificate;
use crate::Result;

/// A new RSA key of the given size in bits.
///
/// # Errors
/// [`crate::Error::Cryptography`] when OpenSSL refuses the size.
pub fn rsa_key(bits: u32) -> Result<PKey<Private>> {
    Ok(PKey::from_rsa(Rsa::generate(bits)?)?)
}

/// A few RSA-2048 keys handed out in turn; two phones may get the same key, never the same certificate.
#[derive(Clone)]
pub struct KeyPool {
    keys: Arc<Vec<PKey<Private>>>,
    next: Arc<AtomicUsize>,
}

impl KeyPool {
    /// Makes `count` keys (at least one).
    ///
    /// # Errors
    /// [`crate::Error::Cryptography`] when OpenSSL has no randomness.
    pub fn generate(count: usize) -> Result<Self> {
        let keys = (0..count.max(1)).map(|_| rsa_key(2048)).collect::<Result<Vec<_>>>()?;
        Ok(Self { keys: Arc::new(keys), next: Arc::default() })
    }

    /// The next key.
    ///
    /// # Errors
    /// [`crate::Error::Cryptography`] when a fresh key was needed and could not be made.
    pub fn take(&self) -> Result<PKey<Private>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        match self.keys.get(turn % self.keys.len().max(1)) {
            Some(key) => Ok(key.clone()),
            None => rsa_key(2048),
        }
    }
}

impl std::fmt::Debug for KeyPool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyPool({} keys)", self.keys.len())
    }
}

/// A device's identity: its key and the certificate its council's authority issued.
#[derive(Clone)]
pub struct Identity {
    /// The private key.
    pub key: PKey<Private>,
    /// The certificate.
    pub certificate: X509,
}

impl Identity {
    /// SHA-256 of the certificate, in hex.
    ///
    /// # Errors
    /// [`crate::Error::Cryptography`] when OpenSSL cannot encode it.
    pub fn fingerprint(&self) -> Result<String> {
        certificate::fingerprint(&self.certificate)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Identity({})", self.fingerprint().unwrap_or_default())
    }
}
