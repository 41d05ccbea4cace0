//! What an operator does to his own account: password, second factor, recovery codes.

use serde_json::json;
use zeroize::Zeroizing;

use super::sign_in::Second;
use super::standing::{restart, unchanged_since_set_up};
use super::{Context, operators, passkeys, second_factor};
use crate::error::{Error, Result};
use crate::model::SignedIn;
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

pub(crate) fn own(tx: &mut Transaction<'_>, context: &Context) -> Result<(SignedIn, Operator)> {
    let signed_in = context
        .actor
        .signed_in()
        .cloned()
        .ok_or_else(|| Error::forbidden("sign in first: only a person has an account"))?;
    let operator = store::operators::find(tx, &signed_in.operator)?
        .filter(|operator| operator.ended_at.is_none())
        .ok_or(Error::NotFound("operator"))?;
    Ok((signed_in, operator))
}

/// The caller's own account, and how many recovery codes he has left.
pub fn show(tx: &mut Transaction<'_>, context: &Context) -> Result<(Operator, i64)> {
    let (_, operator) = own(tx, context)?;
    let codes = store::recovery_codes::count_left(tx, &operator.id)?;
    Ok((operator, codes))
}

/// Changes the caller's own password. `was` is the hash that the old one was checked against. Ends his other sessions.
pub fn change_password(tx: &mut Transaction<'_>, context: &Context, was: &str, new_hash: &str) -> Result<()> {
    let council = own(tx, context)?.1.council_id;
    operators::lock(tx, council.as_ref())?;
    let (signed_in, mut operator) = own(tx, context)?;
    if operator.password_hash != was {
        return Err(Error::conflict("the password was changed meanwhile; sign in again"));
    }
    operator.password_hash = new_hash.to_owned();
    operator.must_change_password = false;
    store::operators::update(tx, &operator)?;
    store::sessions::revoke_all_of(tx, &operator.id, Some(&signed_in.session), context.now)?;
    operators::record(tx, context, council.as_ref(), "operator.password_changed", &operator.id, json!({}))
}

/// A second factor that was begun: what an authenticator app needs of it.
pub struct Begun {
    /// The `otpauth:` link.
    pub link: Zeroizing<String>,
    /// The seed in base 32.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Begun(secret)")
    }
}

/// Begins setting up a second factor. Whoever has one already must have shown it lately.
pub fn begin_second_factor(tx: &mut Transaction<'_>, context: &Context) -> Result<Begun> {
    let council = own(tx, context)?.1.council_id;
    operators::lock(tx, council.as_ref())?;
    let (signed_in, operator) = own(tx, context)?;
    if signed_in.must_change_password {
        return Err(Error::forbidden("change your initial password first"));
    }
    if operator.has_second_factor() {
        context.actor.require_fresh(context.now)?;
    }
    let seed = second_factor::new_seed(&context.keys, &operator)?;
    if !store::operators::set_pending_totp(tx, &operator.id, &seed.sealed)? {
        return Err(Error::NotFound("operator"));
    }
    Ok(Begun { link: seed.link, secret: seed.text })
}

/// Ends setting up a second factor, with a code that shows that the app has it. Gives ten recovery codes, and ends the
/// caller's other sessions. But for the very first one of an account made at set-up, the account waits 72 hours before it
/// approves.
pub fn confirm_second_factor(
    tx: &mut Transaction<'_>,
    context: &Context,
    code: &str,
) -> Result<Vec<Zeroizing<String>>> {
    let council = own(tx, context)?.1.council_id;
    operators::lock(tx, council.as_ref())?;
    let (signed_in, mut operator) = own(tx, context)?;
    if operator.has_second_factor() {
        context.actor.require_fresh(context.now)?;
    }
    let pending =
        operator.sealed_totp_pending.take().ok_or_else(|| Error::conflict("begin with setting up a second factor"))?;
    let step = second_factor::matching_step(&context.keys, &operator, &pending, code, context.now)?
        .ok_or_else(|| Error::invalid("code", "is not the code that the app shows now; is its clock right?"))?;
    let very_first = operator.mfa_since.is_none() && unchanged_since_set_up(&operator);
    operator.sealed_totp = Some(pending);
    operator.totp_last_step = Some(step);
    operator.mfa_since = Some(context.now);
    if !very_first {
        restart(&mut operator, context);
    }
    store::operators::update(tx, &operator)?;
    let codes = replace_recovery_codes(tx, &operator)?;
    store::sessions::revoke_all_of(tx, &operator.id, Some(&signed_in.session), context.now)?;
    store::sessions::set_shown(tx, &signed_in.session, Some(context.now), signed_in.reauthenticated_at)?;
    operators::record(tx, context, council.as_ref(), "operator.second_factor_set", &operator.id, json!({}))?;
    Ok(codes)
}

/// Gives ten new recovery codes in place of the old ones.
pub fn renew_recovery_codes(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<Zeroizing<String>>> {
    let council = own(tx, context)?.1.council_id;
    operators::lock(tx, council.as_ref())?;
    let (_, operator) = own(tx, context)?;
    context.actor.require_fresh(context.now)?;
    let codes = replace_recovery_codes(tx, &operator)?;
    operators::record(tx, context, council.as_ref(), "operator.recovery_codes_made", &operator.id, json!({}))?;
    Ok(codes)
}

pub(crate) fn replace_recovery_codes(tx: &mut Transaction<'_>, operator: &Operator) -> Result<Vec<Zeroizing<String>>> {
    let codes = second_factor::new_recovery_codes()?;
    let hashes: Vec<String> = codes.iter().map(|code| second_factor::recovery_hash(&operator.id, code)).collect();
    store::recovery_codes::replace(tx, &operator.id, &hashes)?;
    Ok(codes)
}

/// Uses up what was shown as second factor; `false` when it was used before.
pub(crate) fn take(tx: &mut Transaction<'_>, context: &Context, operator: &Operator, second: &Second) -> Result<bool> {
    match second {
        Second::None => Ok(false),
        Second::Passkey(used) => passkeys::take_used(tx, context, &operator.id, used),
        Second::Step(step) => store::operators::take_totp_step(tx, &operator.id, *step),
        Second::RecoveryCode(hash) => store::recovery_codes::take(tx, &operator.id, hash, context.now),
    }
}
