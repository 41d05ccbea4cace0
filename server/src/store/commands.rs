//! What is asked of devices.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};

use super::Transaction;
use super::connection::directly;
use super::enrolments::Enrolment;
use super::kept::kept;
use super::policy_secrets::PolicySecret;
use super::schema::{cases, commands, policy_secrets};
use super::written::{CaseIsUnclosed, CommandIsOpen, CommandIsOpenNow};
use crate::error::Result;
use crate::model::{CaseId, CommandId, CommandKind, CommandState, CouncilId, EnrolmentId, Moment};

/// A row of `commands`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = commands)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct CommandRow {
    pub council_id: CouncilId,
    pub id: CommandId,
    pub enrolment_id: EnrolmentId,
    pub case_id: Option<CaseId>,
    pub kind: CommandKind,
    pub payload: String,
    pub priority: i64,
    pub state: CommandState,
    pub supersede_key: Option<String>,
    pub created_by: String,
    pub created_at: Moment,
    pub available_at: Moment,
    pub expires_at: Moment,
    pub sent_at: Option<Moment>,
    pub offers: i64,
    pub ended_at: Option<Moment>,
    pub answer: Option<String>,
    pub problem: Option<String>,
}

/// A command offered so often without an answer lets others go first for a while.
const PATIENT_OFFERS: i64 = 5;
/// How long it then waits.
const PATIENCE: chrono::Duration = chrono::Duration::seconds(30);

/// Adds a command.
pub fn insert(tx: &mut Transaction<'_>, command: &CommandRow) -> Result<()> {
    diesel::insert_into(commands::table).values(command).execute(tx.connection)?;
    Ok(())
}

/// The enrolment's command with this id.
pub fn find(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    id: &CommandId,
) -> Result<Option<CommandRow>> {
    let row = directly!(tx, |connection| CommandRow::query()
        .filter(commands::council_id.eq(council))
        .filter(commands::id.eq(id))
        .filter(commands::enrolment_id.eq(enrolment))
        .first(connection));
    Ok(row.optional()?)
}

/// The command with this id, of whichever council.
pub fn find_any(tx: &mut Transaction<'_>, id: &CommandId) -> Result<Option<CommandRow>> {
    Ok(CommandRow::query().filter(commands::id.eq(id)).first(tx.connection).optional()?)
}

/// The command to give next: lowest priority number, then oldest; `only` restricts to one kind.
///
/// A visit that begins is given those that were put off, too; later in a visit they are left out.
pub fn next(
    tx: &mut Transaction<'_>,
    enrolment: &Enrolment,
    now: Moment,
    visit_begins: bool,
    only: Option<CommandKind>,
) -> Result<Option<CommandRow>> {
    // Each form is spelled out, so that it is prepared once and kept: this runs for every answer of every device.
    let also_deferred = commands::available_at.le(now).or(commands::state.eq(CommandState::Deferred));
    let row = directly!(tx, |connection| {
        let waiting = CommandRow::query()
            .filter(commands::council_id.eq(&enrolment.council_id))
            .filter(commands::enrolment_id.eq(&enrolment.id))
            .filter(commands::expires_at.gt(now))
            // The order leads SQLite to the index of what is open; without it, it would walk through what has ended.
            .order((commands::priority, commands::id));
        match (visit_begins, only) {
            (true, None) => waiting.filter(CommandIsOpen).filter(also_deferred).first(connection),
            (true, Some(kind)) => {
                waiting.filter(CommandIsOpen).filter(also_deferred).filter(commands::kind.eq(kind)).first(connection)
            }
            (false, None) => waiting.filter(CommandIsOpenNow).filter(commands::available_at.le(now)).first(connection),
            (false, Some(kind)) => waiting
                .filter(CommandIsOpenNow)
                .filter(commands::available_at.le(now))
                .filter(commands::kind.eq(kind))
                .first(connection),
        }
    });
    Ok(row.optional()?)
}

kept!(
    /// Of a command that is open.
    MarkSent: "UPDATE commands SET state = 'sent', offers = offers + 1, sent_at = ",
    at: Timestamp = Moment, ", available_at = ",
    again: Timestamp = Moment, " WHERE council_id = ",
    council: Text = CouncilId, " AND id = ",
    id: Text = CommandId, " AND state IN ('queued', 'sent', 'deferred')",
);

/// Marks a command as written to the device; `None` when it is no longer open.
pub fn mark_sent(tx: &mut Transaction<'_>, command: &CommandRow, at: Moment) -> Result<Option<CommandRow>> {
    let offers = command.offers + 1;
    let again = if offers >= PATIENT_OFFERS { at + PATIENCE } else { command.available_at };
    let mark = MarkSent { at: &at, again: &again, council: &command.council_id, id: &command.id };
    let changed = mark.run(tx)?;
    let sent =
        CommandRow { state: CommandState::Sent, sent_at: Some(at), available_at: again, offers, ..command.clone() };
    Ok((changed == 1).then_some(sent))
}

kept!(
    /// Of a question that waits or was asked before.
    MarkGiven: "UPDATE commands SET state = 'sent', offers = offers + 1, sent_at = ",
    at: Timestamp = Moment, ", available_at = CASE WHEN offers + 1 >= ",
    patient: BigInt = i64, " THEN ",
    again: Timestamp = Moment, " ELSE available_at END WHERE council_id = ",
    council: Text = CouncilId, " AND id = ",
    id: Text = CommandId, " AND state IN ('queued', 'sent') AND (sent_at IS NULL OR sent_at < ",
    before: Timestamp = Moment, ")",
);

/// Notes that a question was written to the device at `at`, unless it was answered, put off or given again in the meantime.
pub fn mark_given(tx: &mut Transaction<'_>, council: &CouncilId, command: &CommandId, at: Moment) -> Result<()> {
    let again = at + PATIENCE;
    MarkGiven { at: &at, patient: &PATIENT_OFFERS, again: &again, council, id: command, before: &at }.run(tx)?;
    Ok(())
}

/// The open command that was written to the device last.
pub fn last_sent(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Option<CommandRow>> {
    let sent = CommandRow::query()
        .filter(commands::council_id.eq(&enrolment.council_id))
        .filter(commands::enrolment_id.eq(&enrolment.id))
        .filter(CommandIsOpen)
        .filter(commands::state.eq(CommandState::Sent))
        .order((commands::priority, commands::id))
        .load::<CommandRow>(tx.connection)?;
    Ok(sent.into_iter().max_by(|one, other| (one.sent_at, &one.id).cmp(&(other.sent_at, &other.id))))
}

/// Puts a command off until `until`; `false` when it is no longer open.
pub fn defer(tx: &mut Transaction<'_>, command: &CommandRow, until: Moment, problem: &str) -> Result<bool> {
    let changed = diesel::update(commands::table.find((&command.council_id, &command.id)))
        .filter(CommandIsOpen)
        .set((
            commands::state.eq(CommandState::Deferred),
            commands::available_at.eq(until),
            commands::sent_at.eq(command.sent_at),
            commands::offers.eq(command.offers),
            commands::problem.eq(Some(problem)),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

kept!(
    /// Of a command that is open.
    Finish: "UPDATE commands SET state = ",
    state: Text = CommandState, ", sent_at = COALESCE(sent_at, ",
    sent: Nullable<Timestamp> = Option<Moment>, "), offers = CASE WHEN offers < ",
    least: BigInt = i64, " THEN ",
    offers: BigInt = i64, " ELSE offers END, ended_at = ",
    at: Timestamp = Moment, ", answer = ",
    answer: Nullable<Text> = Option<&'a str>, ", problem = ",
    problem: Nullable<Text> = Option<&'a str>, " WHERE council_id = ",
    council: Text = CouncilId, " AND id = ",
    id: Text = CommandId, " AND state IN ('queued', 'sent', 'deferred')",
);

/// Ends a command; `false` when it had ended before.
pub fn finish(
    tx: &mut Transaction<'_>,
    command: &CommandRow,
    state: CommandState,
    at: Moment,
    answer: Option<&str>,
    problem: Option<&str>,
) -> Result<bool> {
    let end = Finish {
        state: &state,
        sent: &command.sent_at,
        least: &command.offers,
        offers: &command.offers,
        at: &at,
        answer: &answer,
        problem: &problem,
        council: &command.council_id,
        id: &command.id,
    };
    Ok(end.run(tx)? == 1)
}

/// The device did it although it had been given up, taken back or replaced here; its word counts. `false` when it was known.
pub fn done_all_the_same(
    tx: &mut Transaction<'_>,
    command: &CommandRow,
    at: Moment,
    answer: Option<&str>,
    problem: &str,
) -> Result<bool> {
    let given_up = [CommandState::Cancelled, CommandState::Superseded, CommandState::Expired];
    let changed = diesel::update(commands::table.find((&command.council_id, &command.id)))
        .filter(commands::state.eq_any(given_up))
        .set((
            commands::state.eq(CommandState::Acknowledged),
            commands::ended_at.eq(Some(at)),
            commands::answer.eq(answer),
            commands::problem.eq(Some(problem)),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Ends every open command of an enrolment; `kind` and `key` restrict to one kind or one supersede key. Says how many.
pub fn finish_open(
    tx: &mut Transaction<'_>,
    enrolment: &Enrolment,
    kind: Option<CommandKind>,
    key: Option<&str>,
    state: CommandState,
    at: Moment,
    problem: &str,
) -> Result<usize> {
    let mut open = CommandRow::query()
        .filter(commands::council_id.eq(enrolment.council_id.clone()))
        .filter(commands::enrolment_id.eq(enrolment.id.clone()))
        .filter(CommandIsOpen)
        .order((commands::priority, commands::id))
        .into_boxed();
    if let Some(key) = key {
        open = open.filter(commands::supersede_key.eq(key.to_owned()));
    }
    if let Some(kind) = kind {
        open = open.filter(commands::kind.eq(kind));
    }
    let mut ended = 0;
    for command in open.load::<CommandRow>(tx.connection)? {
        if finish(tx, &command, state, at, None, Some(problem))? {
            ended += 1;
        }
    }
    Ok(ended)
}

/// Up to `limit` open commands whose time ran out.
pub fn expired(tx: &mut Transaction<'_>, now: Moment, limit: i64) -> Result<Vec<CommandRow>> {
    Ok(CommandRow::query()
        .filter(CommandIsOpen)
        // The condition of the index that serves this, and only this.
        .filter(commands::ended_at.is_null())
        .filter(commands::expires_at.le(now))
        .order(commands::expires_at)
        .limit(limit)
        .load(tx.connection)?)
}

/// Removes up to `limit` commands that ended before `before`; says how many. Those of a case that is not closed stay: from
/// them it is known whether a phone may still be in Lost Mode.
pub fn purge_ended(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let ended = commands::table
        .filter(commands::ended_at.lt(before))
        .filter(
            commands::case_id
                .is_null()
                .or(commands::case_id.ne_all(cases::table.filter(CaseIsUnclosed).select(cases::id.nullable()))),
        )
        .order(commands::ended_at)
        .select(commands::id)
        .limit(limit)
        .load::<CommandId>(tx.connection)?;
    Ok(diesel::delete(commands::table.filter(commands::id.eq_any(ended))).execute(tx.connection)?)
}

/// The condition is the index's own, word for word: a partial index serves no bound value.
const PURGE_INVENTORY: &str = "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE case_id IS NULL AND kind IN \
     ('device_information', 'security_info', 'profile_list', 'installed_application_list', 'certificate_list') \
     AND ended_at < $1 ORDER BY ended_at LIMIT $2)";

/// Removes up to `limit` commands of inventory that ended before `before` and served no case; says how many.
pub fn purge_inventory(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    Ok(diesel::sql_query(PURGE_INVENTORY)
        .bind::<Timestamp, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(tx.connection)?)
}

/// The enrolment's commands that are open, in the order in which they will be given.
pub fn open_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<Vec<CommandRow>> {
    Ok(CommandRow::query()
        .filter(commands::council_id.eq(council))
        .filter(commands::enrolment_id.eq(enrolment))
        .filter(CommandIsOpen)
        .order((commands::priority, commands::id))
        .limit(500)
        .load(tx.connection)?)
}

/// Whether a command of this kind ended after `since` for this enrolment.
pub fn ended_since(tx: &mut Transaction<'_>, enrolment: &Enrolment, kind: CommandKind, since: Moment) -> Result<bool> {
    Ok(commands::table
        .filter(commands::council_id.eq(&enrolment.council_id))
        .filter(commands::enrolment_id.eq(&enrolment.id))
        .filter(commands::kind.eq(kind))
        .filter(commands::ended_at.gt(since))
        .select(commands::id)
        .first::<CommandId>(tx.connection)
        .optional()?
        .is_some())
}

/// The enrolment's commands, newest first, before the id `before`.
pub fn page_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<CommandRow>> {
    let mut query = CommandRow::query()
        .filter(commands::council_id.eq(council.clone()))
        .filter(commands::enrolment_id.eq(enrolment.clone()))
        .order(commands::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(commands::id.lt(before.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// The policy's secrets, sealed.
pub fn sealed_policy_secrets(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<PolicySecret>> {
    Ok(PolicySecret::query().filter(policy_secrets::council_id.eq(council)).load(tx.connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Actor;
    use crate::testing::on_both;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    #[tokio::test]
    async fn inventory_is_purged_through_its_own_index() {
        on_both(|bench| async move {
            let now = bench.context(Actor::System).now;
            let plan = move |tx: &mut Transaction<'_>| -> Result<Vec<Step>> {
                // PostgreSQL reads so small a table from end to end, whatever indexes it has.
                if tx.is_postgres() {
                    return Ok(Vec::new());
                }
                Ok(diesel::sql_query(format!("EXPLAIN QUERY PLAN {PURGE_INVENTORY}"))
                    .bind::<Timestamp, _>(now)
                    .bind::<BigInt, _>(500)
                    .load(tx.connection)?)
            };
            let plan = bench.database.read("plan", plan).await.expect("a plan");
            let steps: Vec<String> = plan.into_iter().map(|step| step.detail).collect();
            let through_it = |step: &String| step.contains("commands_ended_inventory (ended_at<?)");
            assert!(bench.database.is_postgres() || steps.iter().any(through_it), "{steps:?}");
        })
        .await;
    }
}
