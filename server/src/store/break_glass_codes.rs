//! The codes in councils' envelopes.

use diesel::prelude::*;

use super::Transaction;
use super::schema::break_glass_codes as codes;
use crate::error::Result;
use crate::model::{CouncilId, Moment, OperatorId};

/// A row of `break_glass_codes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = codes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct BreakGlassCode {
    pub council_id: CouncilId,
    pub code_hash: String,
    pub made_by: OperatorId,
    pub made_at: Moment,
}

/// Keeps a code in place of the one that the council had.
pub fn replace(tx: &mut Transaction<'_>, row: &BreakGlassCode) -> Result<()> {
    diesel::delete(codes::table.find(&row.council_id)).execute(tx.connection)?;
    diesel::insert_into(codes::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// The council's code.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<BreakGlassCode>> {
    Ok(BreakGlassCode::query().filter(codes::council_id.eq(council)).first(tx.connection).optional()?)
}

/// The code with this hash.
pub fn find_by_hash(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<BreakGlassCode>> {
    Ok(BreakGlassCode::query().filter(codes::code_hash.eq(hash)).first(tx.connection).optional()?)
}

/// Makes every code useless.
pub fn forget_all(tx: &mut Transaction<'_>) -> Result<()> {
    diesel::delete(codes::table).execute(tx.connection)?;
    Ok(())
}

/// Makes the codes useless that this operator made; says for which councils.
pub fn forget_of(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<Vec<CouncilId>> {
    let found = codes::table.filter(codes::made_by.eq(operator)).select(codes::council_id).load(tx.connection)?;
    diesel::delete(codes::table.filter(codes::made_by.eq(operator))).execute(tx.connection)?;
    Ok(found)
}

/// Takes a code away; whether it was there still.
pub fn take(tx: &mut Transaction<'_>, row: &BreakGlassCode) -> Result<bool> {
    let same = codes::table.find(&row.council_id).filter(codes::code_hash.eq(&row.code_hash));
    Ok(diesel::delete(same).execute(tx.connection)? == 1)
}
