//! What an operator does with his own passkeys: adds, names and removes them. Each is a change of his second factor.

use serde_json::json;
use zeroize::Zeroizing;

use super::ceremony::Right;
use crate::error::{Error, Result};
use crate::model::{OperatorId, PasskeyId, SignedIn};
use crate::operations::standing::{restart, unchanged_since_set_up};
use crate::operations::{Context, accounts, entry, operators};
use crate::store::operators::Operator;
use crate::store::passkeys::PasskeyRow;
use crate::store::{self, Transaction};

/// How many passkeys one account may have.
pub const MOST: i64 = 20;

/// The caller, who may change his second factor now.
pub(super) fn own(tx: &mut Transaction<'_>, context: &Context) -> Result<(SignedIn, Operator)> {
    let (signed_in, operator) = accounts::own(tx, context)?;
    if signed_in.must_change_password {
        return Err(Error::forbidden("change your initial password first"));
    }
    if operator.has_second_factor() {
        context.actor.require_fresh(context.now)?;
    }
    Ok((signed_in, operator))
}

fn own_locked(tx: &mut Transaction<'_>, context: &Context) -> Result<(SignedIn, Operator)> {
    let council = accounts::own(tx, context)?.1.council_id;
    operators::lock(tx, council.as_ref())?;
    own(tx, context)
}

/// The caller's own passkeys, oldest first.
///
/// # Errors
/// `Forbidden` for whoever is no person.
pub fn list(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<PasskeyRow>> {
    let (_, operator) = accounts::own(tx, context)?;
    store::passkeys::of_operator(tx, &operator.id, MOST)
}

/// One of them.
///
/// # Errors
/// `NotFound` for another's.
pub fn one(tx: &mut Transaction<'_>, context: &Context, id: &PasskeyId) -> Result<PasskeyRow> {
    let (_, operator) = accounts::own(tx, context)?;
    store::passkeys::find(tx, id)?.filter(|row| row.operator_id == operator.id).ok_or(Error::NotFound("passkey"))
}

fn checked_name(name: &str) -> Result<String> {
    entry::required("name", name, 60)
}

/// Keeps a new passkey. With the account's very first second factor come ten recovery codes, to be shown once. The account
/// waits 72 hours before it approves, unless this was that very first one of an account made at set-up.
///
/// # Errors
/// `Conflict` for a passkey that is known already, or one too many.
pub fn keep(tx: &mut Transaction<'_>, context: &Context, name: &str, new: &Right) -> Result<Vec<Zeroizing<String>>> {
    // The browser has made it by now: one without a name is kept, not left behind as a key to nothing.
    let name = checked_name(if name.trim().is_empty() { "Passkey" } else { name })?;
    let (signed_in, mut operator) = own_locked(tx, context)?;
    let there = store::passkeys::of_operator(tx, &operator.id, MOST)?;
    if i64::try_from(there.len()).unwrap_or(MOST) >= MOST {
        return Err(Error::conflict("you have twenty passkeys: remove one first"));
    }
    if store::passkeys::find_by_credential(tx, &new.credential_hash)?.is_some() {
        return Err(Error::conflict("this passkey is registered already"));
    }
    let first = !operator.has_second_factor();
    let very_first = first && unchanged_since_set_up(&operator);
    if operator.mfa_since.is_none() {
        operator.mfa_since = Some(context.now);
    }
    if !very_first {
        restart(&mut operator, context);
    }
    store::operators::update(tx, &operator)?;
    let row = PasskeyRow {
        id: PasskeyId::new(),
        operator_id: operator.id.clone(),
        credential_hash: new.credential_hash.clone(),
        address: new.address.clone(),
        name,
        credential: new.credential.clone(),
        counter: 0,
        created_at: context.now,
        last_used_at: None,
    };
    store::passkeys::insert(tx, &row)?;
    let details = json!({ "passkey": row.id, "name": row.name });
    operators::record(tx, context, operator.council_id.as_ref(), "operator.passkey_added", &operator.id, details)?;
    if !first {
        return Ok(Vec::new());
    }
    store::sessions::set_shown(tx, &signed_in.session, Some(context.now), signed_in.reauthenticated_at)?;
    accounts::replace_recovery_codes(tx, &operator)
}

/// Gives one of the caller's passkeys another name.
///
/// # Errors
/// `NotFound` for another's.
pub fn rename(tx: &mut Transaction<'_>, context: &Context, id: &PasskeyId, name: &str) -> Result<()> {
    let name = checked_name(name)?;
    let row = one(tx, context, id)?;
    store::passkeys::rename(tx, &row.id, &name)
}

/// Removes one of the caller's passkeys, which ends no sign-in. The last way to show a second factor stays.
///
/// # Errors
/// `Conflict` for the last one of an account without an authenticator app.
pub fn remove(tx: &mut Transaction<'_>, context: &Context, id: &PasskeyId) -> Result<()> {
    let (_, mut operator) = own_locked(tx, context)?;
    let row = one(tx, context, id)?;
    let there = store::passkeys::of_operator(tx, &operator.id, 2)?;
    if there.len() < 2 && operator.sealed_totp.is_none() {
        return Err(Error::conflict(
            "this is your only second factor: add another passkey or an authenticator app first",
        ));
    }
    store::passkeys::delete(tx, &row.id)?;
    restart(&mut operator, context);
    store::operators::update(tx, &operator)?;
    let details = json!({ "passkey": row.id, "name": row.name });
    operators::record(tx, context, operator.council_id.as_ref(), "operator.passkey_removed", &operator.id, details)
}

/// Forgets all passkeys of an account; how many there were.
///
/// # Errors
/// Of the database.
pub fn forget_all(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<usize> {
    store::passkeys::delete_all_of(tx, operator)
}
