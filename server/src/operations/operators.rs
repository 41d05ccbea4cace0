//! Operators: who may sign in, with which role, and who may approve.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::standing::{self, restart};
use super::{Context, alerts, audit, break_glass, hands, mail, orders, passkeys, sign_in_limits};
use crate::error::{Error, Result};
use crate::model::{CouncilId, OperatorId, Permission, Role};
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

mod approvers;

pub use approvers::{Named, approvers, name_approver, name_provider, named_approvers, unname_approver};
pub use standing::require_established_approver;

/// An operator to add. The password is the initial one, hashed before.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// The council; none for a provider.
    pub council: Option<CouncilId>,
    /// What he signs in with.
    pub login: String,
    /// The name to show.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The hash of the initial password.
    pub password_hash: String,
}

/// Takes the lock that orders changes to accounts: the council's, or the installation's.
pub(crate) fn lock(tx: &mut Transaction<'_>, council: Option<&CouncilId>) -> Result<()> {
    store::audit::lock_head(tx, council.map_or(audit::INSTALLATION, CouncilId::as_str))
}

/// Writes into the council's trail, or for a provider into the installation's.
pub(crate) fn record(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: Option<&CouncilId>,
    kind: &str,
    subject: &OperatorId,
    details: Value,
) -> Result<()> {
    match council {
        Some(council) => audit::record(tx, context, council, kind, subject.as_str(), details),
        None => audit::record_installation(tx, context, kind, subject.as_str(), details),
    }
}

pub(crate) fn require(context: &Context, permission: Permission, council: Option<&CouncilId>) -> Result<()> {
    match (council, permission) {
        (Some(council), _) => context.actor.require(permission, council),
        (None, Permission::Operators) => context.actor.require_installation(Permission::Installation),
        (None, _) => context.actor.require_installation(permission),
    }
}

/// The login as it is stored: small letters.
pub fn checked_login(login: &str) -> Result<String> {
    let login = login.trim().to_lowercase();
    let right = (3..=64).contains(&login.len())
        && login.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte));
    if right {
        Ok(login)
    } else {
        Err(Error::invalid("login", "must have 3 to 64 letters, digits or the signs . _ - + @"))
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "must have 1 to 100 characters"));
    }
    Ok(name.to_owned())
}

/// Adds an operator.
pub fn add(tx: &mut Transaction<'_>, context: &Context, new: &NewOperator) -> Result<Operator> {
    require(context, Permission::Operators, new.council.as_ref())?;
    add_unchecked(tx, context, new)
}

/// Adds an operator for someone whose right to do so was checked: the first one has nobody to ask.
pub(crate) fn add_unchecked(tx: &mut Transaction<'_>, context: &Context, new: &NewOperator) -> Result<Operator> {
    if (new.role == Role::Provider) != new.council.is_none() {
        return Err(Error::invalid("role", "a provider belongs to no council, everyone else to one"));
    }
    lock(tx, new.council.as_ref())?;
    let mut operator = Operator {
        id: OperatorId::new(),
        council_id: new.council.clone(),
        login: checked_login(&new.login)?,
        name: checked_name(&new.name)?,
        role: new.role,
        password_hash: new.password_hash.clone(),
        must_change_password: true,
        made_at_set_up: !store::operators::any_device(tx, new.council.as_ref())?,
        standing_since: context.now,
        sealed_totp: None,
        sealed_totp_pending: None,
        totp_last_step: None,
        mfa_since: None,
        created_by: Some(context.actor.label()),
        reset_by: None,
        created_at: context.now,
        ended_at: None,
        ended_by: None,
        hands: String::new(),
        mail: None,
    };
    hands::made_or_changed(tx, context, &mut operator)?;
    if store::operators::find_by_login(tx, &operator.login)?.is_some() {
        return Err(Error::conflict("someone has this login already; choose another"));
    }
    store::operators::insert(tx, &operator)?;
    let details = json!({ "login": operator.login, "name": operator.name, "role": operator.role });
    record(tx, context, new.council.as_ref(), "operator.added", &operator.id, details)?;
    if let Some(council) = new.council.as_ref().filter(|_| !operator.made_at_set_up) {
        let message = format!(
            "A new account, {} ({}), was added. It may approve after 72 hours. If nobody meant to add it, end it now.",
            operator.name, operator.role
        );
        alerts::raise(tx, context, council, "operator_added", operator.id.as_str(), &message)?;
    }
    Ok(operator)
}

/// Operators of a council, or the providers, after the one with the id `after`.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: Option<&CouncilId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Operator>> {
    require(context, Permission::Read, council)?;
    store::operators::page(tx, council, after, limit)
}

fn permitted(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId, permission: Permission) -> Result<Operator> {
    let stranger = || Error::NotFound("operator");
    let operator = store::operators::find(tx, id)?.ok_or_else(stranger)?;
    let hidden = match &operator.council_id {
        Some(council) => !context.actor.sees(council),
        None => context.actor.require_installation(Permission::Read).is_err(),
    };
    if hidden {
        return Err(stranger());
    }
    require(context, permission, operator.council_id.as_ref())?;
    Ok(operator)
}

/// One operator.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId) -> Result<Operator> {
    permitted(tx, context, id, Permission::Read)
}

/// Refuses whoever may not change this operator.
///
/// # Errors
/// `NotFound` when the caller does not see him; `Forbidden` without the role.
pub fn require_change(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId) -> Result<()> {
    permitted(tx, context, id, Permission::Operators).map(drop)
}

/// What may be changed of an operator.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The login.
    pub login: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The role, within the council.
    pub role: Option<Role>,
    /// The mail address; empty for none.
    pub mail: Option<String>,
}

/// Changes login, name, role or mail address. A new login, role or address makes the account wait 72 hours before it approves; a new role also
/// revokes the tokens that it issued.
pub fn change(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId, change: &Change) -> Result<Operator> {
    let council = permitted(tx, context, id, Permission::Operators)?.council_id;
    lock(tx, council.as_ref())?;
    let mut operator = active(tx, id)?;
    let mut tokens_revoked = 0;
    let before = json!({ "login": operator.login, "name": operator.name, "role": operator.role });
    let was = operator.role;
    if let Some(name) = &change.name {
        operator.name = checked_name(name)?;
    }
    if let Some(login) = change.login.as_deref().map(checked_login).transpose()?.filter(|new| *new != operator.login) {
        if store::operators::find_by_login(tx, &login)?.is_some() {
            return Err(Error::conflict("someone has this login already; choose another"));
        }
        operator.login = login;
        restart(&mut operator, context);
        hands::made_or_changed(tx, context, &mut operator)?;
    }
    if let Some(role) = change.role.filter(|new| *new != operator.role) {
        if context.actor.signed_in().is_some_and(|signed_in| signed_in.operator == operator.id) {
            return Err(Error::forbidden("someone else must change your role"));
        }
        if role == Role::Provider || operator.role == Role::Provider {
            return Err(Error::invalid("role", "a provider belongs to no council; make a new account"));
        }
        require_someone_left(tx, &operator, Some(role))?;
        operator.role = role;
        store::named_approvers::delete_all_of(tx, &operator.id)?;
        tokens_revoked = store::api_tokens::revoke_all_of(tx, &operator.id, context.now)?;
        restart(&mut operator, context);
        hands::made_or_changed(tx, context, &mut operator)?;
    }
    let before_mail = operator.mail.clone();
    if let Some(given) = &change.mail {
        operator.mail = mail::address_or_none(given)?;
        if operator.mail != before_mail {
            restart(&mut operator, context);
            hands::made_or_changed(tx, context, &mut operator)?;
            mail::tell_of_new_address(tx, context, &operator, before_mail.as_deref())?;
        }
    }
    store::operators::update(tx, &operator)?;
    if operator.role != was {
        mail::tell_of_account(tx, context, &operator, "operator_role_changed")?;
    }
    let after = json!({ "login": operator.login, "name": operator.name, "role": operator.role });
    let mail_changed = operator.mail != before_mail;
    let details = json!({
        "before": before, "after": after, "tokens_revoked": tokens_revoked, "mail_changed": mail_changed,
    });
    record(tx, context, council.as_ref(), "operator.changed", &operator.id, details)?;
    Ok(operator)
}

fn active(tx: &mut Transaction<'_>, id: &OperatorId) -> Result<Operator> {
    let operator = store::operators::find(tx, id)?.ok_or(Error::NotFound("operator"))?;
    if operator.ended_at.is_some() {
        return Err(Error::conflict("this account was ended"));
    }
    Ok(operator)
}

/// Refuses what leaves a council without anyone who can act in it, or without anyone who keeps its accounts, and the
/// installation without a provider who was there. Whoever only reads counts for nothing.
fn require_someone_left(tx: &mut Transaction<'_>, leaves: &Operator, becomes: Option<Role>) -> Result<()> {
    let council = leaves.council_id.as_ref();
    let mut none_left = |among: &[Role]| -> Result<bool> {
        let counted = among.contains(&leaves.role) && !becomes.is_some_and(|role| among.contains(&role));
        Ok(counted && store::operators::count_active(tx, council, among)? <= 1)
    };
    if none_left(&[Role::Provider])? {
        return Err(Error::conflict("this is the last provider; add another first"));
    }
    if none_left(&[Role::Clerk, Role::Approver])? {
        return Err(Error::conflict("this is the last operator who can act for the council; add another first"));
    }
    if none_left(&[Role::Clerk])? && store::operators::count_active(tx, None, &[Role::Provider])? == 0 {
        return Err(Error::conflict("this is the last clerk, and nobody else could add one; add another first"));
    }
    Ok(())
}

/// Ends an account with its sessions, tokens and namings. The last one that can act for a council, and the last provider,
/// stay.
pub fn end(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId) -> Result<Operator> {
    let council = permitted(tx, context, id, Permission::Operators)?.council_id;
    orders::stop_of_account(tx, context, id, "was ended")?;
    lock(tx, council.as_ref())?;
    let mut operator = active(tx, id)?;
    require_someone_left(tx, &operator, None)?;
    operator.ended_at = Some(context.now);
    operator.ended_by = Some(context.actor.label());
    operator.sealed_totp = None;
    operator.sealed_totp_pending = None;
    store::operators::update(tx, &operator)?;
    store::recovery_codes::replace(tx, id, &[])?;
    passkeys::forget_all(tx, id)?;
    break_glass::forget_of(tx, context, id)?;
    let sessions = store::sessions::revoke_all_of(tx, id, None, context.now)?;
    let tokens = store::api_tokens::revoke_all_of(tx, id, context.now)?;
    store::named_approvers::delete_all_of(tx, id)?;
    let details = json!({ "login": operator.login, "sessions_ended": sessions, "tokens_revoked": tokens });
    record(tx, context, council.as_ref(), "operator.ended", id, details)?;
    mail::tell_of_account(tx, context, &operator, "operator_ended")?;
    Ok(operator)
}

/// Gives another operator a new initial password, and takes his second factor away if asked. Ends his sessions and revokes
/// the tokens that he issued; he waits 72 hours before he approves again, and is never the second person to the one who
/// reset him, nor the other way round.
pub fn reset(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &OperatorId,
    password_hash: &str,
    second_factor: bool,
) -> Result<Operator> {
    let council = permitted(tx, context, id, Permission::Operators)?.council_id;
    if context.actor.signed_in().is_some_and(|signed_in| signed_in.operator == *id) {
        return Err(Error::forbidden("change your own password instead, or ask another operator"));
    }
    orders::stop_of_account(tx, context, id, "was reset")?;
    lock(tx, council.as_ref())?;
    let mut operator = active(tx, id)?;
    operator.password_hash = password_hash.to_owned();
    operator.must_change_password = true;
    if second_factor {
        operator.sealed_totp = None;
        operator.sealed_totp_pending = None;
        operator.totp_last_step = None;
        operator.mfa_since = None;
        store::recovery_codes::replace(tx, id, &[])?;
        passkeys::forget_all(tx, id)?;
    }
    break_glass::forget_of(tx, context, id)?;
    hands::reset(tx, context, &mut operator, second_factor)?;
    restart(&mut operator, context);
    store::operators::update(tx, &operator)?;
    let sessions = store::sessions::revoke_all_of(tx, id, None, context.now)?;
    let tokens = store::api_tokens::revoke_all_of(tx, id, context.now)?;
    sign_in_limits::forget(tx, &operator.login)?;
    let details = json!({ "second_factor": second_factor, "sessions_ended": sessions, "tokens_revoked": tokens });
    record(tx, context, council.as_ref(), "operator.reset", id, details)?;
    if let Some(council) = &council {
        let message = format!(
            "The password{} of {} was reset. If {} did not ask for it, end the account of whoever did it.",
            if second_factor { " and second factor" } else { "" },
            operator.name,
            operator.name
        );
        alerts::raise(tx, context, council, "operator_reset", id.as_str(), &message)?;
    }
    Ok(operator)
}

/// The first operator of all.
#[derive(Clone, Debug)]
pub struct FirstOperator {
    /// Id or short name of a council, to begin with its clerk instead of a provider.
    pub council: Option<String>,
    /// What he signs in with.
    pub login: String,
    /// The name to show.
    pub name: String,
    /// The hash of the password.
    pub password_hash: String,
    /// Whether he chose the password himself, so that it need not be changed at the first sign-in.
    pub own_password: bool,
}

/// Who stands behind these labels of the audit trail, in words that people read.
///
/// # Errors
/// Of the database.
pub fn words_of_labels(
    tx: &mut Transaction<'_>,
    labels: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for label in labels {
        if found.contains_key(&label) {
            continue;
        }
        let words = match label.split_once(':') {
            Some(("operator", id)) => store::operators::find(tx, &OperatorId::from(id))?
                .map_or_else(|| "an operator who is not known any more".to_owned(), |operator| operator.name),
            Some(("token", _)) => "a program".to_owned(),
            Some(("device", _)) => "the phone".to_owned(),
            Some(("invitee", _)) => "the holder, by the invitation".to_owned(),
            Some(("holder", _)) => "the holder, by the card".to_owned(),
            _ if label == "local" => "somebody on the server\u{2019}s own machine".to_owned(),
            _ if label == "system" => "Beadle by itself".to_owned(),
            _ => label.clone(),
        };
        found.insert(label, words);
    }
    Ok(found)
}

/// Whether there is an operator already.
pub fn is_set_up(tx: &mut Transaction<'_>) -> Result<bool> {
    store::operators::any(tx)
}

/// Makes the first operator with the one-use code that the first start printed. The code is looked at before anything else:
/// without it nobody learns whether a council exists.
pub fn set_up(tx: &mut Transaction<'_>, context: &Context, code_hash: &str, first: &FirstOperator) -> Result<Operator> {
    lock(tx, None)?;
    if store::operators::any(tx)? {
        return Err(Error::conflict("this server was set up before; sign in, or ask an operator for an account"));
    }
    if !store::operators::take_set_up_code(tx, code_hash)? {
        return Err(Error::forbidden("this is not the set-up code; the server printed it at its first start"));
    }
    let council = first.council.as_deref().map(|name| super::councils::named(tx, name)).transpose()?;
    let new = NewOperator {
        role: if council.is_some() { Role::Clerk } else { Role::Provider },
        council,
        login: first.login.clone(),
        name: first.name.clone(),
        password_hash: first.password_hash.clone(),
    };
    let mut operator = add_unchecked(tx, context, &new)?;
    if first.own_password {
        operator.must_change_password = false;
        store::operators::update(tx, &operator)?;
    }
    Ok(operator)
}
