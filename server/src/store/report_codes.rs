//! The codes on holders' cards.

use diesel::prelude::*;

use super::Transaction;
use super::schema::report_codes;
use crate::error::Result;
use crate::model::{AssetId, CouncilId, Moment};

/// A row of `report_codes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = report_codes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct ReportCode {
    pub council_id: CouncilId,
    pub custody_id: String,
    pub asset_id: AssetId,
    pub code_hash: String,
    pub made_by: String,
    pub made_at: Moment,
}

/// Keeps a code in place of the one that this custody had.
pub fn replace(tx: &mut Transaction<'_>, row: &ReportCode) -> Result<()> {
    diesel::delete(report_codes::table.find((&row.council_id, &row.custody_id))).execute(tx.connection)?;
    diesel::insert_into(report_codes::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// The code with this hash.
pub fn find_by_hash(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<ReportCode>> {
    Ok(ReportCode::query().filter(report_codes::code_hash.eq(hash)).first(tx.connection).optional()?)
}

/// The code of this custody.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, custody: &str) -> Result<Option<ReportCode>> {
    Ok(ReportCode::query()
        .filter(report_codes::council_id.eq(council).and(report_codes::custody_id.eq(custody)))
        .first(tx.connection)
        .optional()?)
}
