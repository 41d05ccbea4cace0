//! What the jobs ask of enrolments: whether something waits, what came of a push, whose identity ends soon.

use diesel::prelude::*;

use super::Transaction;
use super::enrolments::Enrolment;
use super::schema::{authorities, commands, enrolments};
use super::written::CommandIsOpen;
use crate::error::Result;
use crate::model::{AuthorityId, CommandState, CouncilId, EnrolmentId, Moment};

/// The enrolment with this id.
pub fn enrolment(tx: &mut Transaction<'_>, council: &CouncilId, id: &EnrolmentId) -> Result<Option<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::council_id.eq(council).and(enrolments::id.eq(id)))
        .first(tx.connection)
        .optional()?)
}

/// The council's live enrolments that listen to this push topic, after `after`, by id.
pub fn enrolments_of_topic(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    topic: &str,
    after: Option<&EnrolmentId>,
    limit: i64,
) -> Result<Vec<EnrolmentId>> {
    let mut query = enrolments::table
        .filter(enrolments::council_id.eq(council.clone()).and(enrolments::topic.eq(topic.to_owned())))
        .filter(enrolments::ended_at.is_null())
        .order(enrolments::id)
        .select(enrolments::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(enrolments::id.gt(after.clone()));
    }
    Ok(query.load(tx.connection)?)
}

/// A command that waits for a device.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Lower is more urgent.
    pub priority: i64,
    /// From when it is worth a push.
    pub from: Moment,
}

/// The open commands of an enrolment, most urgent first; as many as matter to a push.
pub fn waiting(tx: &mut Transaction<'_>, enrolment: &Enrolment, now: Moment) -> Result<Vec<Waiting>> {
    let rows: Vec<(i64, CommandState, Moment)> = commands::table
        .filter(commands::council_id.eq(&enrolment.council_id).and(commands::enrolment_id.eq(&enrolment.id)))
        .filter(CommandIsOpen)
        .filter(commands::expires_at.gt(now))
        .order((commands::priority, commands::id))
        .limit(100)
        .select((commands::priority, commands::state, commands::available_at))
        .load(tx.connection)?;
    Ok(rows.into_iter().map(|(priority, _, from)| Waiting { priority, from }).collect())
}

/// Retires a device's token, if it still is this one; says whether it was.
pub fn retire_token(tx: &mut Transaction<'_>, enrolment: &Enrolment, token: &str, now: Moment) -> Result<bool> {
    let same = enrolments::push_token.eq(token).and(enrolments::push_retired_at.is_null());
    let retired = diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)).filter(same))
        .set(enrolments::push_retired_at.eq(now))
        .execute(tx.connection)?;
    Ok(retired == 1)
}

/// Live enrolments whose identity ends before `before` and whose renewal has not been started since `started`.
pub fn identities_ending(
    tx: &mut Transaction<'_>,
    before: Moment,
    started: Moment,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::ended_at.is_null().and(enrolments::identity_not_after.lt(before)))
        .filter(enrolments::renewal_started_at.is_null().or(enrolments::renewal_started_at.lt(started)))
        .order(enrolments::identity_not_after)
        .limit(limit)
        .load(tx.connection)?)
}

/// Live enrolments whose identity ends before `before`, after `after` in the order of their ends.
pub fn identities_ending_after(
    tx: &mut Transaction<'_>,
    before: Moment,
    after: Option<(Moment, EnrolmentId)>,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    let mut query = Enrolment::query()
        .filter(enrolments::ended_at.is_null().and(enrolments::identity_not_after.lt(before)))
        .order((enrolments::identity_not_after, enrolments::id))
        .limit(limit)
        .into_boxed();
    if let Some((end, id)) = after {
        let later = enrolments::identity_not_after
            .gt(end)
            .or(enrolments::identity_not_after.eq(end).and(enrolments::id.gt(id)));
        query = query.filter(later.assume_not_null());
    }
    Ok(query.load(tx.connection)?)
}

/// Notes that the renewal of an identity was asked for.
pub fn renewal_started(tx: &mut Transaction<'_>, enrolment: &Enrolment, now: Moment) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set(enrolments::renewal_started_at.eq(now))
        .execute(tx.connection)?;
    Ok(())
}

/// Every council's authority that ends before `before`; for the daily watch.
pub fn authorities_ending(tx: &mut Transaction<'_>, before: Moment) -> Result<Vec<(CouncilId, AuthorityId, Moment)>> {
    Ok(authorities::table
        .filter(authorities::not_after.lt(before))
        .select((authorities::council_id, authorities::id, authorities::not_after))
        .load(tx.connection)?)
}
