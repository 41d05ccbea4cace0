//! The JWT itself: HS256 on OpenSSL, with algorithm, key id, issuer, audience and times pinned.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{Moment, TokenId};

/// Whom the tokens are for.
pub(super) const AUDIENCE: &str = "beadle-api";

/// How far ahead of ours another instance's clock may be, in seconds.
const TOLERANCE: i64 = 30;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
}

/// HMAC-SHA-256 with a key of the caller's, the only algorithm there is.
struct Hs256(Vec<u8>);

impl Hs256 {
    fn mac(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        let sign = || {
            let key = PKey::hmac(&self.0)?;
            let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &key)?;
            signer.sign_oneshot_to_vec(message)
        };
        sign().map_err(signature::Error::from_source)
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        self.mac(message)
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let right = self.mac(message)?;
        if right.len() == given.len() && openssl::memcmp::eq(&right, given) {
            Ok(())
        } else {
            Err(signature::Error::new())
        }
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256(key.as_bytes().to_vec()))),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256(key.try_get_as_bytes()?.to_vec()))),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// The library has one provider for the process; a second installation is refused, which is as good.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if PROVIDER.install_default().is_err() {
            tracing::warn!("another provider of JWT cryptography was installed before");
        }
    });
}

/// The name of this installation in its tokens: its audit key is made once and never replaced.
pub(super) fn issuer(keys: &Keys) -> String {
    format!("urn:beadle:installation:{}", keys.audit.id)
}

/// The signed token for `id`.
pub(super) fn sign(keys: &Keys, id: &TokenId, now: Moment, expires_at: Moment) -> Result<String> {
    install_provider();
    let claims = Claims {
        iss: issuer(keys),
        aud: AUDIENCE.to_owned(),
        jti: id.to_string(),
        iat: now.unix(),
        nbf: now.unix(),
        exp: expires_at.unix(),
    };
    let header = Header { kid: Some(keys.token.id.clone()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(keys.token.secret())).map_err(Error::internal)
}

/// Checks form, algorithm, key id, signature, issuer, audience and times; whether the token still stands is for the row to
/// say.
pub fn verify(keys: &Keys, token: &str, now: Moment) -> Result<TokenId> {
    install_provider();
    let refused = |why: &dyn std::fmt::Display| {
        tracing::debug!(%why, "token refused");
        Error::Unauthenticated("this token is not valid, or no longer; ask for a new one".to_owned())
    };
    let header = jsonwebtoken::decode_header(token).map_err(|problem| refused(&problem))?;
    if header.alg != Algorithm::HS256 || header.kid.as_deref() != Some(keys.token.id.as_str()) {
        return Err(refused(&"another algorithm or key"));
    }
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_issuer(&[issuer(keys)]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    // The times are compared below, with our own clock.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(keys.token.secret()), &rules)
        .map_err(|problem| refused(&problem))?
        .claims;
    let now = now.unix();
    if now >= claims.exp || claims.nbf > now + TOLERANCE {
        return Err(refused(&"its time is over, or has not begun"));
    }
    Ok(TokenId::from(claims.jti))
}
