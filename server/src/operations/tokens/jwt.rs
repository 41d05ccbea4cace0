//! The JWT itself: HS256, with algorithm, key id, issuer, audience and times pinned.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::jwt_crypto;
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

/// The name of this installation in its tokens: its audit key is made once and never replaced.
pub(super) fn issuer(keys: &Keys) -> String {
    format!("urn:beadle:installation:{}", keys.audit.id)
}

/// The signed token for `id`.
pub(super) fn sign(keys: &Keys, id: &TokenId, now: Moment, expires_at: Moment) -> Result<String> {
    jwt_crypto::install();
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
    jwt_crypto::install();
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
