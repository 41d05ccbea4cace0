//! Operators: who may sign in.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError as DatabaseFault;

use super::Transaction;
use super::schema::{devices, installation, operators};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OperatorId, Role};

/// How many operators are told of one event at the most.
const MOST_TOLD: i64 = 100;

/// A row of `operators`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = operators)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Operator {
    pub id: OperatorId,
    pub council_id: Option<CouncilId>,
    pub login: String,
    pub name: String,
    pub role: Role,
    pub password_hash: String,
    pub must_change_password: bool,
    pub made_at_set_up: bool,
    pub standing_since: Moment,
    pub sealed_totp: Option<Vec<u8>>,
    pub sealed_totp_pending: Option<Vec<u8>>,
    pub totp_last_step: Option<i64>,
    pub mfa_since: Option<Moment>,
    pub created_by: Option<String>,
    pub reset_by: Option<String>,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
    pub hands: String,
    /// Where he is told by mail what happens.
    pub mail: Option<String>,
}

impl Operator {
    /// Whether a password alone does not let him in: he has an app or a passkey, or had one and lost it.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.sealed_totp.is_some() || self.mfa_since.is_some()
    }
}

/// The operator with this id.
pub fn find(tx: &mut Transaction<'_>, id: &OperatorId) -> Result<Option<Operator>> {
    Ok(Operator::query().filter(operators::id.eq(id)).first(tx.connection).optional()?)
}

/// Adds an operator; a login that someone has is a conflict.
pub fn insert(tx: &mut Transaction<'_>, operator: &Operator) -> Result<()> {
    match diesel::insert_into(operators::table).values(operator).execute(tx.connection) {
        Err(DatabaseFault(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Error::conflict("someone has this login already; choose another"))
        }
        done => done.map(drop).map_err(Error::from),
    }
}

/// The operator with this login.
pub fn find_by_login(tx: &mut Transaction<'_>, login: &str) -> Result<Option<Operator>> {
    Ok(Operator::query().filter(operators::login.eq(login)).first(tx.connection).optional()?)
}

/// The operators of a council (or the providers), after `after`, by id.
pub fn page(
    tx: &mut Transaction<'_>,
    council: Option<&CouncilId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Operator>> {
    let after = after.unwrap_or_default().to_owned();
    let query = Operator::query().filter(operators::id.gt(after)).order(operators::id).limit(limit).into_boxed();
    Ok(match council {
        Some(council) => query.filter(operators::council_id.eq(council.clone())),
        None => query.filter(operators::council_id.is_null()),
    }
    .load(tx.connection)?)
}

/// The operators of a council (or the providers) with one of `roles` who may sign in and have a mail address.
pub fn with_mail(tx: &mut Transaction<'_>, council: Option<&CouncilId>, roles: &[Role]) -> Result<Vec<Operator>> {
    let query = Operator::query()
        .filter(operators::ended_at.is_null().and(operators::mail.is_not_null()))
        .filter(operators::role.eq_any(roles.to_vec()))
        .order(operators::id)
        .limit(MOST_TOLD)
        .into_boxed();
    Ok(match council {
        Some(council) => query.filter(operators::council_id.eq(council.clone())),
        None => query.filter(operators::council_id.is_null()),
    }
    .load(tx.connection)?)
}

/// The operators of a council (or the providers) who may sign in, and those whose accounts were ended after `since`.
pub fn in_office_or_ended_since(
    tx: &mut Transaction<'_>,
    council: Option<&CouncilId>,
    since: Moment,
) -> Result<Vec<Operator>> {
    let query = Operator::query()
        .filter(operators::ended_at.is_null().or(operators::ended_at.gt(since)))
        .order(operators::id)
        .limit(MOST_TOLD)
        .into_boxed();
    Ok(match council {
        Some(council) => query.filter(operators::council_id.eq(council.clone())),
        None => query.filter(operators::council_id.is_null()),
    }
    .load(tx.connection)?)
}

/// How many operators of a council (or providers) with one of `roles` may sign in.
pub fn count_active(tx: &mut Transaction<'_>, council: Option<&CouncilId>, roles: &[Role]) -> Result<i64> {
    let query =
        operators::table.filter(operators::ended_at.is_null().and(operators::role.eq_any(roles.to_vec()))).into_boxed();
    Ok(match council {
        Some(council) => query.filter(operators::council_id.eq(council.clone())),
        None => query.filter(operators::council_id.is_null()),
    }
    .count()
    .get_result(tx.connection)?)
}

/// Whether the council (or the installation) ever had a device.
pub fn any_device(tx: &mut Transaction<'_>, council: Option<&CouncilId>) -> Result<bool> {
    let query = devices::table.select(devices::id).limit(1).into_boxed();
    let query = match council {
        Some(council) => query.filter(devices::council_id.eq(council.clone())),
        None => query,
    };
    Ok(query.first::<String>(tx.connection).optional()?.is_some())
}

/// Whether anybody was ever given an account.
pub fn any(tx: &mut Transaction<'_>) -> Result<bool> {
    Ok(operators::table.select(operators::id).limit(1).first::<OperatorId>(tx.connection).optional()?.is_some())
}

/// Writes everything that may change of an operator.
pub fn update(tx: &mut Transaction<'_>, operator: &Operator) -> Result<()> {
    let changed = diesel::update(operators::table.find(&operator.id))
        .set((
            operators::login.eq(&operator.login),
            operators::name.eq(&operator.name),
            operators::role.eq(operator.role),
            operators::password_hash.eq(&operator.password_hash),
            operators::must_change_password.eq(operator.must_change_password),
            operators::standing_since.eq(operator.standing_since),
            operators::sealed_totp.eq(operator.sealed_totp.clone()),
            operators::sealed_totp_pending.eq(operator.sealed_totp_pending.clone()),
            operators::totp_last_step.eq(operator.totp_last_step),
            operators::mfa_since.eq(operator.mfa_since),
            operators::reset_by.eq(operator.reset_by.clone()),
            operators::ended_at.eq(operator.ended_at),
            operators::ended_by.eq(operator.ended_by.clone()),
            operators::hands.eq(&operator.hands),
            operators::mail.eq(operator.mail.clone()),
        ))
        .execute(tx.connection);
    match changed {
        Err(DatabaseFault(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Error::conflict("someone has this login already; choose another"))
        }
        done => done.map(drop).map_err(Error::from),
    }
}

/// Keeps the seed of a second factor that was begun, and touches nothing else of the row; `false` when the account was ended.
pub fn set_pending_totp(tx: &mut Transaction<'_>, id: &OperatorId, sealed: &[u8]) -> Result<bool> {
    let active = operators::table.filter(operators::id.eq(id).and(operators::ended_at.is_null()));
    Ok(diesel::update(active).set(operators::sealed_totp_pending.eq(sealed)).execute(tx.connection)? == 1)
}

/// Uses up a code of the second factor: `false` when it, or a later one, was used before.
pub fn take_totp_step(tx: &mut Transaction<'_>, id: &OperatorId, step: i64) -> Result<bool> {
    let unused = operators::totp_last_step.is_null().or(operators::totp_last_step.lt(step));
    Ok(diesel::update(operators::table.filter(operators::id.eq(id).and(unused)))
        .set(operators::totp_last_step.eq(step))
        .execute(tx.connection)?
        == 1)
}

/// Uses up the set-up code with this hash: `false` when it is another, or there is none any more.
pub fn take_set_up_code(tx: &mut Transaction<'_>, code_hash: &str) -> Result<bool> {
    let row = installation::table
        .filter(installation::name.eq("set-up-code").and(installation::value.eq(code_hash.as_bytes())));
    Ok(diesel::delete(row).execute(tx.connection)? == 1)
}

/// A device that tests need to be there; on an item of its own.
#[cfg(test)]
pub(crate) fn insert_test_device(tx: &mut Transaction<'_>, council: &CouncilId, now: Moment) -> Result<()> {
    use super::schema::assets;
    let id = uuid::Uuid::now_v7().to_string();
    diesel::insert_into(assets::table)
        .values((
            assets::council_id.eq(council),
            assets::id.eq(&id),
            assets::tag.eq(&id),
            assets::kind.eq("phone"),
            assets::make.eq("Apple"),
            assets::model.eq("iPhone"),
            assets::ownership.eq("council"),
            assets::created_at.eq(now),
        ))
        .execute(tx.connection)?;
    diesel::insert_into(devices::table)
        .values((
            devices::council_id.eq(council),
            devices::id.eq(&id),
            devices::asset_id.eq(&id),
            devices::platform.eq("apple"),
            devices::udid.eq(&id),
            devices::created_at.eq(now),
        ))
        .execute(tx.connection)?;
    Ok(())
}
