//! Telling operators by mail what happens: the mail server's settings, and what is sent to whom. The sending itself is a job.

mod notices;
mod settings;
mod tell;
#[cfg(test)]
pub(crate) mod tests;

pub use settings::{NewServer, ServerView, accepted, problem, put, remove, sealed_id, server, show};
pub(crate) use settings::{SET, proven_since};
pub use tell::{Letter, SEND_MAIL, cannot_send, given_up, recipient_refused, sent};
pub(crate) use tell::{
    holders_of_case, send_again, tell_of_account, tell_of_alert, tell_of_installation, tell_of_new_address,
    tell_of_order, write_notice,
};

use super::{Context, accounts, operators};
use crate::error::{Error, Result};
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

/// A mail address as it is stored.
///
/// # Errors
/// `Invalid` for what is none.
pub fn checked_address(address: &str) -> Result<String> {
    let wrong = || Error::invalid("mail", "must be a mail address such as clerk@example.org");
    let address = address.trim();
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let sound = |text: &str, more: &[u8]| {
        !text.is_empty()
            && !text.starts_with('.')
            && !text.ends_with('.')
            && !text.contains("..")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    let right = address.len() <= 254
        && local.len() <= 64
        && sound(local, b".!#$%&'*+/=?^_`{|}~-")
        && sound(domain, b".-")
        && domain.split('.').all(|label| label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-'));
    if right { Ok(format!("{local}@{}", domain.to_lowercase())) } else { Err(wrong()) }
}

/// The same; nothing for an empty text.
pub(super) fn address_or_none(given: &str) -> Result<Option<String>> {
    if given.trim().is_empty() { Ok(None) } else { checked_address(given).map(Some) }
}

/// Changes the caller's own mail address; empty takes it away. He must have shown password and second factor lately, waits 72
/// hours before he approves again, and the old address is told: otherwise whoever sits at his unlocked laptop could make him
/// deaf to what happens.
///
/// # Errors
/// `Invalid` for what is no address; `Forbidden` without a recent sign-in.
pub fn change_own_address(tx: &mut Transaction<'_>, context: &Context, given: &str) -> Result<()> {
    let signed_in = context.actor.require_fresh(context.now)?.clone();
    let council = accounts::show(tx, context)?.0.council_id;
    operators::lock(tx, council.as_ref())?;
    let (mut operator, _): (Operator, _) = accounts::show(tx, context)?;
    let mail = address_or_none(given)?;
    if mail == operator.mail {
        return Ok(());
    }
    let before = std::mem::replace(&mut operator.mail, mail);
    super::standing::restart(&mut operator, context);
    store::operators::update(tx, &operator)?;
    let details = serde_json::json!({ "had_one": before.is_some(), "has_one": operator.mail.is_some() });
    operators::record(tx, context, council.as_ref(), "operator.mail_changed", &signed_in.operator, details)?;
    tell_of_new_address(tx, context, &operator, before.as_deref())
}
