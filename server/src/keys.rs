//! The keys of the installation: what seals the audit chains, the orders and the API's tokens.

use std::collections::BTreeMap;

use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::sealing::Sealer;

/// The length of an HMAC-SHA-256.
pub const MAC_LENGTH: usize = 32;

/// A key for HMAC-SHA-256, with its id.
pub struct MacKey {
    /// The id of its row.
    pub id: String,
    secret: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MacKey({})", self.id)
    }
}

impl MacKey {
    /// A key from its bytes; at least 32 of them.
    pub fn new(id: String, secret: Zeroizing<Vec<u8>>) -> Result<Self> {
        if secret.len() < MAC_LENGTH {
            return Err(Error::internal("a key for HMAC-SHA-256 is too short"));
        }
        Ok(Self { id, secret })
    }

    /// The MAC over `parts`, each preceded by its length so that no two lists of parts give the same bytes.
    pub fn mac(&self, domain: &str, parts: &[&[u8]]) -> Result<Vec<u8>> {
        let key = PKey::hmac(&self.secret)?;
        let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            signer.update(&(part.len() as u64).to_be_bytes())?;
            signer.update(part)?;
        }
        Ok(signer.sign_to_vec()?)
    }

    /// Whether `mac` is the MAC over `parts`; takes the same time whatever it is.
    pub fn verify(&self, domain: &str, parts: &[&[u8]], mac: &[u8]) -> Result<bool> {
        let right = self.mac(domain, parts)?;
        Ok(right.len() == mac.len() && memcmp::eq(&right, mac))
    }

    /// The bytes, for the token algorithm and for re-sealing.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// Everything secret that the running server holds for all councils.
#[derive(Debug)]
pub struct Keys {
    /// Seals secrets at rest.
    pub sealer: Sealer,
    /// Chains the audit trail.
    pub audit: MacKey,
    /// Seals orders: the newest signs, all verify.
    pub approval: ApprovalKeys,
    /// Signs the API's bearer tokens (HS256).
    pub token: MacKey,
}

/// The approval keys by id; only approving an order signs with them.
#[derive(Debug)]
pub struct ApprovalKeys {
    current: String,
    keys: BTreeMap<String, MacKey>,
}

impl ApprovalKeys {
    /// The keys of the installation; `current` is the id of the one that signs.
    pub fn new(current: String, keys: impl IntoIterator<Item = MacKey>) -> Result<Self> {
        let keys: BTreeMap<String, MacKey> = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
        if !keys.contains_key(&current) {
            return Err(Error::internal("the current approval key is missing"));
        }
        Ok(Self { current, keys })
    }

    /// The key that signs.
    pub fn current(&self) -> Result<&MacKey> {
        self.by_id(&self.current).ok_or_else(|| Error::internal("the current approval key is missing"))
    }

    /// The key that signed an order.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&MacKey> {
        self.keys.get(id)
    }
}

/// SHA-256 of `bytes`, in hexadecimal; how codes and tokens are stored.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(openssl::sha::sha256(bytes))
}

/// `N` random bytes from OpenSSL.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) fn for_tests() -> Keys {
    let key = |id: &str, byte| MacKey::new(id.to_owned(), Zeroizing::new(vec![byte; 32])).expect("long enough");
    Keys {
        sealer: Sealer::from_text(&Sealer::new_key_line().expect("random")).expect("just made"),
        audit: key("audit", 1),
        approval: ApprovalKeys::new("approval".to_owned(), [key("approval", 2)]).expect("present"),
        token: key("token", 3),
    }
}
