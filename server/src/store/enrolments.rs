//! Generations of devices under management.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamp};

use super::Transaction;
use super::connection::{AnyConnection, directly};
use super::kept::kept;
use super::schema::enrolments;
use super::written::EnrolmentHasMore;
use crate::error::Result;
use crate::model::{
    Confirmation, CouncilId, DeviceId, EnrolmentId, EnrolmentState, InvitationId, Mode, Moment, Ownership, Platform,
};

/// A row of `enrolments`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = enrolments)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Enrolment {
    pub council_id: CouncilId,
    pub id: EnrolmentId,
    pub device_id: DeviceId,
    pub generation: i64,
    pub platform: Platform,
    pub mode: Mode,
    pub ownership: Ownership,
    pub invitation_id: InvitationId,
    pub state: EnrolmentState,
    pub confirmation: Confirmation,
    pub mode_disagrees: bool,
    pub fingerprint: String,
    pub topic: Option<String>,
    pub push_token: Option<String>,
    /// When the device last sent its token; an older 410 of the push service does not retire it.
    pub push_token_at: Option<Moment>,
    pub sealed_push_magic: Option<Vec<u8>>,
    pub sealed_unlock_token: Option<Vec<u8>>,
    pub push_retired_at: Option<Moment>,
    pub authenticated_at: Moment,
    pub enrolled_at: Option<Moment>,
    pub last_seen_at: Moment,
    pub identity_not_after: Option<Moment>,
    pub renewal_started_at: Option<Moment>,
    pub profile_version: Option<i64>,
    pub ended_at: Option<Moment>,
    pub end_reason: Option<String>,
    pub judgement: Option<String>,
}

/// How many of the council's enrolments are live, by mode.
pub fn live_by_mode(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<(Mode, i64)>> {
    Ok(enrolments::table
        .filter(enrolments::council_id.eq(council).and(enrolments::ended_at.is_null()))
        .group_by(enrolments::mode)
        .order(enrolments::mode)
        .select((enrolments::mode, diesel::dsl::count_star()))
        .load(tx.connection)?)
}

/// Adds an enrolment.
pub fn insert(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<()> {
    diesel::insert_into(enrolments::table).values(enrolment).execute(tx.connection)?;
    Ok(())
}

/// The council's enrolment with this id.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, id: &EnrolmentId) -> Result<Option<Enrolment>> {
    let enrolment = directly!(tx, |connection| Enrolment::query()
        .filter(enrolments::council_id.eq(council))
        .filter(enrolments::id.eq(id))
        .first(connection));
    Ok(enrolment.optional()?)
}

/// An enrolment whose device calls, as the transaction that goes on with it has read it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The enrolment.
    pub enrolment: Enrolment,
    /// There is more to see to than commands: an order that may leave, or a case of a device that was found and is to be heard from.
    pub has_more: bool,
}

/// A caller as it stands now that its council's lock is held; `None` where there is no such enrolment any more. It must have been
/// read in this transaction: SQLite's one writer lets nobody else change anything in the meantime, so there it still stands.
pub fn still(tx: &mut Transaction<'_>, caller: Caller) -> Result<Option<Caller>> {
    if !tx.is_postgres() {
        return Ok(Some(caller));
    }
    let Enrolment { council_id, id, .. } = &caller.enrolment;
    let found = directly!(tx, |connection| enrolments::table
        .filter(enrolments::council_id.eq(council_id).and(enrolments::id.eq(id)))
        .select((Enrolment::as_select(), EnrolmentHasMore))
        .first::<(Enrolment, bool)>(connection));
    Ok(found.optional()?.map(|(enrolment, has_more)| Caller { enrolment, has_more }))
}

/// The enrolment that this device is under management by now.
pub fn live_of_device(tx: &mut Transaction<'_>, council: &CouncilId, device: &DeviceId) -> Result<Option<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::council_id.eq(council))
        .filter(enrolments::device_id.eq(device))
        .filter(enrolments::ended_at.is_null())
        .first(tx.connection)
        .optional()?)
}

/// The newest enrolment of a device, ended or not.
pub fn latest_of_device(tx: &mut Transaction<'_>, council: &CouncilId, device: &DeviceId) -> Result<Option<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::council_id.eq(council))
        .filter(enrolments::device_id.eq(device))
        .order(enrolments::generation.desc())
        .first(tx.connection)
        .optional()?)
}

/// A device's newest enrolments, ended or not, newest first.
pub fn last_of_device(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    device: &DeviceId,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::council_id.eq(council))
        .filter(enrolments::device_id.eq(device))
        .order(enrolments::generation.desc())
        .limit(limit)
        .load(tx.connection)?)
}

/// The enrolment pinned to the certificate with this SHA-256, of whichever council; the newest, should there be several.
#[cfg(test)]
pub(crate) fn find_by_fingerprint(tx: &mut Transaction<'_>, fingerprint: &str) -> Result<Option<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::fingerprint.eq(fingerprint))
        .order(enrolments::id.desc())
        .first(tx.connection)
        .optional()?)
}

/// A device that was not heard from for long, or does not do what the policy says.
#[derive(Clone, Debug, QueryableByName)]
pub struct Silent {
    /// The device.
    #[diesel(sql_type = Text)]
    pub device_id: DeviceId,
    /// The tag of the item that it is.
    #[diesel(sql_type = Text)]
    pub tag: String,
    /// When it was last heard from.
    #[diesel(sql_type = Timestamp)]
    pub last_seen_at: Moment,
}

/// The council's devices under management that were last heard from at or before `before`, the longest silent first.
pub fn silent(tx: &mut Transaction<'_>, council: &CouncilId, before: Moment, limit: i64) -> Result<Vec<Silent>> {
    Ok(diesel::sql_query(
        "SELECT e.device_id, a.tag, e.last_seen_at FROM enrolments e \
         JOIN devices d ON d.council_id = e.council_id AND d.id = e.device_id \
         JOIN assets a ON a.council_id = d.council_id AND a.id = d.asset_id \
         WHERE e.council_id = $1 AND e.last_seen_at <= $2 AND e.ended_at IS NULL ORDER BY e.last_seen_at LIMIT $3",
    )
    .bind::<Text, _>(council)
    .bind::<Timestamp, _>(before)
    .bind::<BigInt, _>(limit)
    .load(tx.connection)?)
}

kept!(
    /// When a device was heard from.
    Touch: "UPDATE enrolments SET last_seen_at = ",
    at: Timestamp = Moment, " WHERE council_id = ",
    council: Text = CouncilId, " AND id = ",
    id: Text = EnrolmentId, " AND last_seen_at < ",
    before: Timestamp = Moment, "",
);

/// Notes that the device was heard from; an earlier time than what is known says nothing new.
pub fn touch(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId, at: Moment) -> Result<()> {
    Touch { at: &at, council, id: enrolment, before: &at }.run(tx)?;
    Ok(())
}

/// The same for many of a council's devices at once, in one statement where each is a way to another process and back.
pub fn touch_all(tx: &mut Transaction<'_>, council: &CouncilId, seen: &[(EnrolmentId, Moment)]) -> Result<()> {
    match &mut *tx.connection {
        AnyConnection::Sqlite(_) => seen.iter().try_for_each(|(enrolment, at)| touch(tx, council, enrolment, *at)),
        AnyConnection::Postgres(connection) => {
            let (ids, times): (Vec<&EnrolmentId>, Vec<Moment>) = seen.iter().map(|(id, at)| (id, *at)).unzip();
            diesel::sql_query(
                "UPDATE enrolments SET last_seen_at = seen.at FROM unnest($2::text[], $3::timestamp[]) AS seen (id, at) \
                 WHERE enrolments.council_id = $1 AND enrolments.id = seen.id AND enrolments.last_seen_at < seen.at",
            )
            .bind::<Text, _>(council)
            .bind::<Array<Text>, _>(ids)
            .bind::<Array<Timestamp>, _>(times)
            .execute(connection)?;
            Ok(())
        }
    }
}

/// Notes how all settings of an enrolment were judged together.
pub fn set_judgement(tx: &mut Transaction<'_>, enrolment: &Enrolment, judgement: &str) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set(enrolments::judgement.eq(judgement))
        .execute(tx.connection)?;
    Ok(())
}

/// Pins an enrolment to a renewed identity.
pub fn set_identity(
    tx: &mut Transaction<'_>,
    enrolment: &Enrolment,
    fingerprint: &str,
    not_after: Moment,
) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set((
            enrolments::fingerprint.eq(fingerprint),
            enrolments::identity_not_after.eq(Some(not_after)),
            enrolments::renewal_started_at.eq(None::<Moment>),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// What a TokenUpdate brings.
#[derive(Debug)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Tokens<'a> {
    pub topic: Option<&'a str>,
    pub push_token: &'a str,
    pub sealed_push_magic: &'a [u8],
    /// Only when the message has one: the old one is never lost.
    pub sealed_unlock_token: Option<&'a [u8]>,
}

/// Takes over the tokens of a TokenUpdate; the device can be pushed again.
pub fn set_tokens(tx: &mut Transaction<'_>, enrolment: &Enrolment, tokens: &Tokens<'_>, at: Moment) -> Result<()> {
    let row = enrolments::table.find((&enrolment.council_id, &enrolment.id));
    diesel::update(row)
        .set((
            enrolments::push_token.eq(Some(tokens.push_token)),
            enrolments::push_token_at.eq(Some(at)),
            enrolments::sealed_push_magic.eq(Some(tokens.sealed_push_magic)),
            enrolments::push_retired_at.eq(None::<Moment>),
        ))
        .execute(tx.connection)?;
    if let Some(topic) = tokens.topic {
        diesel::update(row).set(enrolments::topic.eq(Some(topic))).execute(tx.connection)?;
    }
    if let Some(sealed) = tokens.sealed_unlock_token {
        diesel::update(row).set(enrolments::sealed_unlock_token.eq(Some(sealed))).execute(tx.connection)?;
    }
    Ok(())
}

/// The first TokenUpdate after Authenticate: the device is under management.
pub fn mark_enrolled(tx: &mut Transaction<'_>, enrolment: &Enrolment, at: Moment) -> Result<bool> {
    let changed = diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .filter(enrolments::state.eq(EnrolmentState::Authenticated))
        .set((enrolments::state.eq(EnrolmentState::Enrolled), enrolments::enrolled_at.eq(Some(at))))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Ends an enrolment; `false` when it had ended before.
pub fn end(tx: &mut Transaction<'_>, council: &CouncilId, id: &EnrolmentId, at: Moment, reason: &str) -> Result<bool> {
    let changed = diesel::update(enrolments::table.find((council, id)))
        .filter(enrolments::ended_at.is_null())
        .set((
            enrolments::state.eq(EnrolmentState::Ended),
            enrolments::ended_at.eq(Some(at)),
            enrolments::end_reason.eq(Some(reason)),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Sets whether the clerk must confirm that this phone is the asset's.
pub fn set_confirmation(tx: &mut Transaction<'_>, enrolment: &Enrolment, to: Confirmation) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set(enrolments::confirmation.eq(to))
        .execute(tx.connection)?;
    Ok(())
}

/// Sets whether the mode that the device reports disagrees with the invitation's.
pub fn set_mode_disagrees(tx: &mut Transaction<'_>, enrolment: &Enrolment, disagrees: bool) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set(enrolments::mode_disagrees.eq(disagrees))
        .execute(tx.connection)?;
    Ok(())
}
