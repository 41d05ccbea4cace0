//! The mails by which somebody is told of one-operator working, or of an order under it, each with its link.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{one_operator_notices as notices, one_operator_settings as settings};
use crate::error::Result;
use crate::model::{CouncilId, Moment, NoticeId, OneOperatorId, OrderId};

/// A row of `one_operator_notices`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = notices)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Notice {
    pub council_id: CouncilId,
    pub id: NoticeId,
    pub setting_id: OneOperatorId,
    pub order_id: Option<OrderId>,
    pub round: i64,
    pub name: String,
    pub address: String,
    pub needed: bool,
    pub hears_of_orders: bool,
    pub code_hash: String,
    pub made_at: Moment,
    pub accepted_at: Option<Moment>,
    pub used_at: Option<Moment>,
}

/// Adds a notice.
pub fn insert(tx: &mut Transaction<'_>, notice: &Notice) -> Result<()> {
    diesel::insert_into(notices::table).values(notice).execute(tx.connection)?;
    Ok(())
}

/// The notice with this id.
pub fn find(tx: &mut Transaction<'_>, id: &NoticeId) -> Result<Option<Notice>> {
    Ok(Notice::query().filter(notices::id.eq(id)).first(tx.connection).optional()?)
}

/// The notice whose link has the code with this hash.
pub fn find_by_code(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<Notice>> {
    Ok(Notice::query().filter(notices::code_hash.eq(hash)).first(tx.connection).optional()?)
}

/// The notices of an announcement itself.
pub fn of_setting(tx: &mut Transaction<'_>, council: &CouncilId, setting: &OneOperatorId) -> Result<Vec<Notice>> {
    Ok(Notice::query()
        .filter(notices::council_id.eq(council).and(notices::setting_id.eq(setting)))
        .filter(notices::order_id.is_null())
        .order(notices::id)
        .load(tx.connection)?)
}

/// The notices of an order, of one round.
pub fn of_order(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    setting: &OneOperatorId,
    order: &OrderId,
    round: i64,
) -> Result<Vec<Notice>> {
    Ok(Notice::query()
        .filter(notices::council_id.eq(council).and(notices::setting_id.eq(setting)))
        .filter(notices::order_id.eq(order).and(notices::round.eq(round)))
        .order(notices::id)
        .load(tx.connection)?)
}

/// Notes that the mail server accepted it; whether that is news.
pub fn set_accepted(tx: &mut Transaction<'_>, notice: &Notice, at: Moment) -> Result<bool> {
    let new = notices::table.find((&notice.council_id, &notice.id)).filter(notices::accepted_at.is_null());
    Ok(diesel::update(new).set(notices::accepted_at.eq(Some(at))).execute(tx.connection)? == 1)
}

/// Notes that its link was used; whether it was the first time.
pub fn set_used(tx: &mut Transaction<'_>, notice: &Notice, at: Moment) -> Result<bool> {
    let unused = notices::table.find((&notice.council_id, &notice.id)).filter(notices::used_at.is_null());
    Ok(diesel::update(unused).set(notices::used_at.eq(Some(at))).execute(tx.connection)? == 1)
}

/// Forgets up to `limit` notices from before `before` that tell of an order, or of an announcement that has ended.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let ended = settings::table.filter(settings::ended_at.is_not_null()).select(settings::id);
    let due: Vec<NoticeId> = notices::table
        .filter(notices::made_at.lt(before))
        .filter(notices::order_id.is_not_null().or(notices::setting_id.eq_any(ended)))
        .limit(limit)
        .select(notices::id)
        .load(tx.connection)?;
    Ok(diesel::delete(notices::table.filter(notices::id.eq_any(due))).execute(tx.connection)?)
}
