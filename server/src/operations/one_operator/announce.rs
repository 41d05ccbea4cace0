//! Announcing one-operator working to everyone, and ending it.

use chrono::Duration;
use serde_json::json;

use super::notices::{News, Recipient, Written, write};
use super::{BEGUN, ENDED, Hearer, OneOperatorView, show};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OneOperatorId, OperatorId, Permission, SignedIn};
use crate::operations::{Context, alerts, audit, mail, orders, standing};
use crate::store::councils::Council;
use crate::store::one_operator_settings::OneOperatorSetting;
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

/// Whoever left so lately is told, too: his leaving must not be what brings it about unseen.
const JUST_LEFT: Duration = Duration::days(14);
/// So many people are told of each order at most.
const MOST_HEARERS: usize = 3;

pub(super) const ALERT: &str = "one_operator";

/// What a person gives to announce it.
#[derive(Clone, Debug)]
pub struct NewSetting {
    /// Why one person must be enough.
    pub reason: String,
    /// Who is told of each order by mail, the chair first.
    pub hearers: Vec<Hearer>,
}

/// Announces that one operator works alone, to everyone who is or just was an operator, and to those who will be told of each
/// order. It takes effect 72 hours after the mail server has accepted the last of these mails.
///
/// # Errors
/// `Forbidden` unless the caller is the council's own clerk, established, who signed in again within five minutes; `Invalid` for
/// who is to be told; `Conflict`, in words, while somebody could not be told.
pub fn begin(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    new: &NewSetting,
) -> Result<OneOperatorView> {
    context.actor.require(Permission::RequestOrder, council)?;
    let signed_in = context.actor.require_fresh(context.now)?.clone();
    audit::lock(tx, council)?;
    let own = own_established(tx, context, council, &signed_in)?;
    let reason = new.reason.trim();
    if reason.is_empty() || reason.chars().count() > 1000 {
        return Err(Error::invalid("reason", "say why one person must be enough, in at most 1,000 characters"));
    }
    if store::one_operator_settings::standing(tx, council)?.is_some() {
        return Err(Error::conflict("it is announced already: end it first, then announce it with other people"));
    }
    let hearers = checked(&new.hearers, &own)?;
    let Some(server) = store::mail_servers::find(tx)? else {
        return Err(Error::conflict(
            "no mail server is set: without mail nobody could be told, so nobody may work alone",
        ));
    };
    if mail::proven_since(tx, context, &server)?.is_none() {
        return Err(Error::conflict(
            "the mail server in the database is not the one that was set: it must be set again",
        ));
    }
    let place = store::councils::find(tx, council)?.ok_or(Error::NotFound("council"))?;
    let to = recipients(tx, context, council, &own, &hearers)?;
    let setting = OneOperatorSetting {
        council_id: council.clone(),
        id: OneOperatorId::new(),
        reason: reason.to_owned(),
        begun_by: own.id.clone(),
        begun_at: context.now,
        told_at: None,
        ended_by: None,
        ended_at: None,
    };
    store::one_operator_settings::insert(tx, &setting)?;
    let told = announce(tx, context, &place, &setting.id, &to)?;
    let details = json!({ "setting": setting.id, "reason": reason, "told": told, "hearers": hearers });
    audit::record(tx, context, council, BEGUN, council.as_str(), details)?;
    let message = format!(
        "{} announced that one operator works alone. It takes effect 72 hours after everyone was told by mail; then an order to \
         erase needs no second person. If that is not meant, end it.",
        own.name
    );
    alerts::raise(tx, context, council, ALERT, setting.id.as_str(), &message)?;
    show(tx, context, council)
}

fn announce(
    tx: &mut Transaction<'_>,
    context: &Context,
    place: &Council,
    setting: &OneOperatorId,
    to: &[Recipient],
) -> Result<Vec<Written>> {
    let text = "Somebody announced for this council that one operator may have a lost phone erased without a second person. It \
                takes effect 72 hours after everyone was told, as you are now. From then on those who were named for it are told \
                of each order by mail and have 30 minutes to stop it.\r\n\r\n\
                If you know of it and agree, you need do nothing. If you do not, open this page and press the button: two people \
                must then agree, as before. You need no account.";
    let subject = "One operator is to work alone";
    let news = News { council: place, setting, order: None, subject, text };
    let mut told = Vec::new();
    for to in to {
        let written = write(tx, context, &news, to)?;
        if to.needed {
            told.push(written);
        }
    }
    Ok(told)
}

/// The caller's row, where he may ask for what nobody else need approve: the council's own, and known for 72 hours.
pub(in crate::operations) fn own_established(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    signed_in: &SignedIn,
) -> Result<Operator> {
    let own = store::operators::find(tx, &signed_in.operator)?.ok_or(Error::NotFound("operator"))?;
    if own.council_id.as_ref() != Some(council) {
        return Err(Error::forbidden("only the council's own clerk may do this, with an account of this council"));
    }
    if !standing::stands(&own, context.now) {
        return Err(Error::forbidden(
            "your account is new, or was changed lately: this needs one that has stood for 72 hours with its own second factor",
        ));
    }
    Ok(own)
}

/// Whether a character is none, but changes the direction in which others are written (Unicode Standard Annex 9).
fn turns(sign: char) -> bool {
    matches!(sign, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn checked(given: &[Hearer], own: &Operator) -> Result<Vec<Hearer>> {
    let mut found: Vec<Hearer> = Vec::new();
    for (number, hearer) in given.iter().enumerate() {
        let field = |name: &str| format!("hearers[{number}].{name}");
        let name = hearer.name.trim();
        // The name stands within sentences: what turns the direction of writing would turn their end around, too.
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(|sign| sign.is_control() || turns(sign)) {
            return Err(Error::invalid(field("name"), "must have 1 to 100 letters, signs and spaces"));
        }
        let address = mail::checked_address(&hearer.address)
            .map_err(|_| Error::invalid(field("address"), "must be a mail address such as chair@example.org"))?;
        let same = |other: &str| other.eq_ignore_ascii_case(&address);
        if own.mail.as_deref().is_some_and(same) {
            return Err(Error::invalid(field("address"), "must be another person's: this one is your own"));
        }
        if found.iter().any(|one| same(&one.address)) {
            return Err(Error::invalid(field("address"), "must not be given twice"));
        }
        found.push(Hearer { name: name.to_owned(), address });
    }
    if found.is_empty() || found.len() > MOST_HEARERS {
        return Err(Error::invalid("hearers", "must be one to three people who are told of each order by mail"));
    }
    Ok(found)
}

/// Everyone who is told of the announcement; refuses while somebody could not be, or could have been silenced before.
fn recipients(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    own: &Operator,
    hearers: &[Hearer],
) -> Result<Vec<Recipient>> {
    let mut found: Vec<Recipient> =
        hearers.iter().map(|who| Recipient { who: who.clone(), needed: true, hears_of_orders: true }).collect();
    let since = context.now - JUST_LEFT;
    let mut operators = store::operators::in_office_or_ended_since(tx, Some(council), since)?;
    // Every provider, too: one whom the council named as approver may have been un-named a minute ago.
    for provider in store::operators::in_office_or_ended_since(tx, None, since)? {
        if provider.mail.is_some() || approved_lately(tx, council, &provider, since)? {
            operators.push(provider);
        }
    }
    for operator in operators {
        let self_told = operator.id == own.id;
        let Some(address) = operator.mail.clone() else {
            if self_told {
                continue;
            }
            return Err(Error::conflict(format!(
                "{} has no mail address and could not be told: have the account given one first{}",
                operator.name,
                if operator.ended_at.is_some() { ", or wait until two weeks after it was ended" } else { "" }
            )));
        };
        if !self_told && !sure_who_reads(&operator, context.now) {
            return Err(Error::conflict(format!(
                "the account of {} was changed lately{}: wait, so that it is sure who is told",
                operator.name,
                if operator.ended_at.is_some() { " and then ended, less than two weeks ago" } else { "" }
            )));
        }
        match found.iter_mut().find(|one| one.who.address.eq_ignore_ascii_case(&address)) {
            Some(one) => one.needed |= !self_told,
            None => {
                let who = Hearer { name: operator.name, address };
                found.push(Recipient { who, needed: !self_told, hears_of_orders: false });
            }
        }
    }
    Ok(found)
}

/// Whether a provider approves for this council, or did within the last two weeks.
fn approved_lately(tx: &mut Transaction<'_>, council: &CouncilId, provider: &Operator, since: Moment) -> Result<bool> {
    if store::named_approvers::find(tx, council, &provider.id)?.is_some() {
        return Ok(true);
    }
    let last = store::audit::last_of_kinds(tx, council.as_str(), provider.id.as_str(), &["approver.unnamed"])?;
    Ok(last.is_some_and(|(row, _)| row.at > since))
}

/// Whether nobody can have turned an account's mail elsewhere lately: within the last 72 hours, or the last 72 before it ended.
fn sure_who_reads(operator: &Operator, now: Moment) -> bool {
    standing::quiet(operator, operator.ended_at.unwrap_or(now))
}

/// Ends one-operator working at once, announced or in effect. Orders that wait for their 30 minutes wait for a second person;
/// those that had them and that no phone has fetched are held.
///
/// # Errors
/// `NotFound` where it is neither.
pub fn end(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<OneOperatorView> {
    context.actor.require(Permission::CancelOrder, council)?;
    audit::lock(tx, council)?;
    let standing = store::one_operator_settings::standing(tx, council)?
        .ok_or(Error::NotFound("announcement of one-operator working"))?;
    end_one(tx, context, &standing, json!({ "setting": standing.id }))?;
    show(tx, context, council)
}

/// The same for whoever may; the caller holds the council's lock.
pub(super) fn end_one(
    tx: &mut Transaction<'_>,
    context: &Context,
    standing: &OneOperatorSetting,
    details: serde_json::Value,
) -> Result<()> {
    let council = &standing.council_id;
    if !store::one_operator_settings::end(tx, council, &standing.id, &context.actor.label(), context.now)? {
        return Ok(());
    }
    orders::back_to_two(tx, context, council, &standing.id)?;
    alerts::end(tx, context, council, ALERT, standing.id.as_str())?;
    audit::record(tx, context, council, ENDED, council.as_str(), details)
}

/// Ends what this account announced, since it was ended or reset: someone else may have had it in hand.
pub(in crate::operations) fn end_of_account(
    tx: &mut Transaction<'_>,
    context: &Context,
    operator: &OperatorId,
) -> Result<()> {
    let Some(council) = store::operators::find(tx, operator)?.and_then(|operator| operator.council_id) else {
        return Ok(());
    };
    audit::lock(tx, &council)?;
    match store::one_operator_settings::standing(tx, &council)?.filter(|standing| standing.begun_by == *operator) {
        Some(standing) => end_one(tx, context, &standing, json!({ "setting": standing.id, "announced_by": operator })),
        None => Ok(()),
    }
}

/// Ends it in a council because the database is an older one: who ended it since is not known. The caller holds the council's lock.
pub(in crate::operations) fn end_after_restore(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
) -> Result<()> {
    match store::one_operator_settings::standing(tx, council)? {
        Some(standing) => end_one(tx, context, &standing, json!({ "setting": standing.id, "because": "restored" })),
        None => Ok(()),
    }
}
