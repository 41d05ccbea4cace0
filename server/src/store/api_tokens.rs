//! Bearer tokens of the API.

use diesel::prelude::*;

use super::Transaction;
use super::schema::api_tokens;
use crate::error::Result;
use crate::model::{CouncilId, Moment, OperatorId, TokenId};

/// A row of `api_tokens`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = api_tokens)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct ApiToken {
    pub id: TokenId,
    pub council_id: CouncilId,
    pub name: String,
    pub scopes: String,
    pub issued_by: OperatorId,
    pub issued_at: Moment,
    pub expires_at: Moment,
    pub revoked_at: Option<Moment>,
}

/// Adds a token.
pub fn insert(tx: &mut Transaction<'_>, token: &ApiToken) -> Result<()> {
    diesel::insert_into(api_tokens::table).values(token).execute(tx.connection)?;
    Ok(())
}

/// The token with this id.
pub fn find(tx: &mut Transaction<'_>, id: &TokenId) -> Result<Option<ApiToken>> {
    Ok(ApiToken::query().filter(api_tokens::id.eq(id)).first(tx.connection).optional()?)
}

/// The council's tokens after `after`, by id.
pub fn page(tx: &mut Transaction<'_>, council: &CouncilId, after: Option<&str>, limit: i64) -> Result<Vec<ApiToken>> {
    Ok(ApiToken::query()
        .filter(api_tokens::council_id.eq(council).and(api_tokens::id.gt(after.unwrap_or_default())))
        .order(api_tokens::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// The council's tokens before `before`, the newest first.
pub fn newest(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    before: Option<&TokenId>,
    limit: i64,
) -> Result<Vec<ApiToken>> {
    let mut query = ApiToken::query()
        .filter(api_tokens::council_id.eq(council.clone()))
        .order(api_tokens::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(api_tokens::id.lt(before.clone()));
    }
    Ok(query.load(tx.connection)?)
}

/// Ends a token.
pub fn revoke(tx: &mut Transaction<'_>, id: &TokenId, now: Moment) -> Result<()> {
    diesel::update(api_tokens::table.filter(api_tokens::id.eq(id).and(api_tokens::revoked_at.is_null())))
        .set(api_tokens::revoked_at.eq(now))
        .execute(tx.connection)?;
    Ok(())
}

/// Ends every token that `operator` issued; how many there were.
pub fn revoke_all_of(tx: &mut Transaction<'_>, operator: &OperatorId, now: Moment) -> Result<usize> {
    Ok(diesel::update(
        api_tokens::table.filter(api_tokens::issued_by.eq(operator).and(api_tokens::revoked_at.is_null())),
    )
    .set(api_tokens::revoked_at.eq(now))
    .execute(tx.connection)?)
}

/// Ends every token; how many there were.
pub fn revoke_all(tx: &mut Transaction<'_>, now: Moment) -> Result<usize> {
    Ok(diesel::update(api_tokens::table.filter(api_tokens::revoked_at.is_null()))
        .set(api_tokens::revoked_at.eq(now))
        .execute(tx.connection)?)
}
