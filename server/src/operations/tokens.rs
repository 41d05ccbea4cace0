//! Bearer tokens of the API: short-lived JWTs with everything about them pinned, and a row each so that they can be revoked.

mod jwt;
#[cfg(test)]
mod tests;

use chrono::Duration;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Context, audit};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Permission, TokenId, TokenScope};
use crate::store::api_tokens::ApiToken;
use crate::store::{self, Transaction};

pub use jwt::verify;

/// How long a token lasts unless said.
pub const USUAL_LIFE: Duration = Duration::hours(1);
/// How long a token may last: from one nightly run to the next. A provider's program that runs by itself is then given a new
/// one once a day by a person who signed in with his second factor, and a token that leaks from a log or a backup is over
/// before anyone is likely to have found it. There is no way to renew one without a person.
pub const LONGEST_LIFE: Duration = Duration::hours(24);

/// Issues a token for one council; the JWT is shown once.
pub fn issue(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    name: &str,
    scopes: &[TokenScope],
    life: Option<Duration>,
) -> Result<(ApiToken, Zeroizing<String>)> {
    context.actor.require(Permission::Operators, council)?;
    let issuer = context
        .actor
        .signed_in()
        .ok_or_else(|| Error::forbidden("sign in first: a token stands for the person who issued it"))?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "must have 1 to 100 characters and say what the token is for"));
    }
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", "must name at least one of: read, report, lock, register"));
    }
    let life = life.unwrap_or(USUAL_LIFE);
    if life < Duration::minutes(1) || life > LONGEST_LIFE {
        return Err(Error::invalid("minutes", "must be 1 minute to 24 hours (1440)"));
    }
    audit::lock(tx, council)?;
    let mut words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    let token = ApiToken {
        id: TokenId::new(),
        council_id: council.clone(),
        name: name.to_owned(),
        scopes: words.join(" "),
        issued_by: issuer.operator.clone(),
        issued_at: context.now,
        expires_at: context.now + life,
        revoked_at: None,
    };
    let jwt = jwt::sign(&context.keys, &token.id, context.now, token.expires_at)?;
    store::api_tokens::insert(tx, &token)?;
    let details = json!({ "name": token.name, "scopes": token.scopes, "expires_at": token.expires_at });
    audit::record(tx, context, council, "token.issued", token.id.as_str(), details)?;
    Ok((token, Zeroizing::new(jwt)))
}

/// A council's tokens, after the one with the id `after`.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ApiToken>> {
    context.actor.require(Permission::Read, council)?;
    store::api_tokens::page(tx, council, after, limit)
}

/// A council's tokens before the one with the id `before`, the newest first.
pub fn newest(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    before: Option<&TokenId>,
    limit: i64,
) -> Result<Vec<ApiToken>> {
    context.actor.require(Permission::Read, council)?;
    store::api_tokens::newest(tx, council, before, limit)
}

/// The token with this id; the token itself is kept nowhere.
///
/// # Errors
/// `NotFound` for a token that the caller does not see.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &TokenId) -> Result<ApiToken> {
    let token = store::api_tokens::find(tx, id)?
        .filter(|token| context.actor.sees(&token.council_id))
        .ok_or(Error::NotFound("token"))?;
    context.actor.require(Permission::Read, &token.council_id)?;
    Ok(token)
}

/// Revokes a token, at once.
pub fn revoke(tx: &mut Transaction<'_>, context: &Context, id: &TokenId) -> Result<()> {
    let token = store::api_tokens::find(tx, id)?
        .filter(|token| context.actor.sees(&token.council_id))
        .ok_or(Error::NotFound("token"))?;
    context.actor.require(Permission::Operators, &token.council_id)?;
    audit::lock(tx, &token.council_id)?;
    if token.revoked_at.is_some() {
        return Ok(());
    }
    store::api_tokens::revoke(tx, id, context.now)?;
    audit::record(tx, context, &token.council_id, "token.revoked", id.as_str(), json!({ "name": token.name }))
}
