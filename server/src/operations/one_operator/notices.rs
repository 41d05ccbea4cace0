//! The mails that tell of an announcement or of an order, each with a link of its own, and what follows once they are accepted.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{BEGUN, ENDED, Hearer, NOTICE_ACCEPTED, ORDER_ACCEPTED, ORDER_WANTED, TOLD};
use crate::error::Result;
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{CouncilId, Moment, NoticeId, OneOperatorId};
use crate::operations::mail::{self, Letter};
use crate::operations::{Context, alerts, audit, trail};
use crate::store::councils::Council;
use crate::store::mail_servers::MailServer;
use crate::store::one_operator_notices::Notice;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Someone to tell.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub(super) who: Hearer,
    /// Nothing begins before his mail was accepted.
    pub(super) needed: bool,
    pub(super) hears_of_orders: bool,
}

/// How the code of a link is stored.
pub(super) fn hash(code: &str) -> String {
    sha256_hex(format!("beadle stop link {}", code.trim()).as_bytes())
}

/// What is told, and of what.
pub(super) struct News<'a> {
    pub(super) council: &'a Council,
    pub(super) setting: &'a OneOperatorId,
    pub(super) order: Option<(&'a Order, i64)>,
    pub(super) subject: &'a str,
    /// What stands before the link.
    pub(super) text: &'a str,
}

/// A mail as the audit trail keeps it: to whom, and the hashes of the letter and of the code of its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) address: String,
    pub(super) letter: String,
    pub(super) code: String,
}

/// The hash of a letter as it is sent.
pub(super) fn hash_of(letter: &Letter) -> String {
    sha256_hex(format!("{}\n{}\n{}", letter.to, letter.subject, letter.text).as_bytes())
}

/// Writes one mail to one recipient.
pub(super) fn write(tx: &mut Transaction<'_>, context: &Context, news: &News<'_>, to: &Recipient) -> Result<Written> {
    let code = hex::encode(random_bytes::<32>()?);
    let notice = Notice {
        council_id: news.council.id.clone(),
        id: NoticeId::new(),
        setting_id: news.setting.clone(),
        order_id: news.order.map(|(order, _)| order.id.clone()),
        round: news.order.map_or(1, |(_, round)| round),
        name: to.who.name.clone(),
        address: to.who.address.clone(),
        needed: to.needed,
        hears_of_orders: to.hears_of_orders,
        code_hash: hash(&code),
        made_at: context.now,
        accepted_at: None,
        used_at: None,
    };
    store::one_operator_notices::insert(tx, &notice)?;
    let link = format!("{}/stop?code={code}", news.council.public_url.trim_end_matches('/'));
    let text = format!("{}\r\n\r\n{link}\r\n\r\n", news.text);
    let letter = mail::write_notice(tx, context, news.council, &notice.id, &notice.address, news.subject, &text)?;
    Ok(Written { address: notice.address, letter: hash_of(&letter), code: notice.code_hash })
}

/// Tells of an order everyone of `to`, and writes down who must have been told before its 30 minutes begin.
pub(in crate::operations) fn tell_of_order(
    tx: &mut Transaction<'_>,
    context: &Context,
    setting: &OneOperatorId,
    (order, round): (&Order, i64),
    needed: &[Hearer],
    others: &[Hearer],
) -> Result<()> {
    let Some(council) = store::councils::find(tx, &order.council_id)? else { return Ok(()) };
    let tag = store::orders::subject(tx, &order.council_id, &order.device_id)?.map(|subject| subject.tag);
    let text = format!(
        "Somebody asked to erase a phone or tablet of the council: {}. In this council one operator may decide that alone, once \
         30 minutes have passed after those named for it were told by mail, as you are now.\r\n\r\n\
         If you know of it and agree, you need do nothing. If you do not, or are not sure, open this page and press the button: \
         the order is then held until somebody has spoken with you. You need no account.",
        tag.unwrap_or_default().replace(char::is_control, " ")
    );
    let news = News {
        council: &council,
        setting,
        order: Some((order, round)),
        subject: "A phone will be erased in 30 minutes unless you stop it",
        text: &text,
    };
    let mut wanted = Vec::new();
    for (people, needed) in [(needed, true), (others, false)] {
        for who in people {
            let to = Recipient { who: who.clone(), needed, hears_of_orders: true };
            let written = write(tx, context, &news, &to)?;
            if needed {
                wanted.push(written);
            }
        }
    }
    let details = json!({ "setting": setting, "round": round, "wanted": wanted });
    audit::record(tx, context, &council.id, ORDER_WANTED, order.id.as_str(), details)
}

/// `server` accepted a letter that is a notice. Once it accepted all that are needed, the 72 hours, or
/// the order's 30 minutes, begin. Told twice of one notice, it changes nothing the second time.
///
/// # Errors
/// When the database fails.
pub fn accepted(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &NoticeId,
    letter: &Letter,
    server: &MailServer,
) -> Result<()> {
    let Some(notice) = store::one_operator_notices::find(tx, id)? else { return Ok(()) };
    let council = notice.council_id.clone();
    audit::lock(tx, &council)?;
    if mail::proven_since(tx, context, server)?.is_none() {
        // A provider may have set another one while this was being sent: that one is asked, too.
        if let Some(now) = store::mail_servers::find(tx)?
            && mail::proven_since(tx, context, &now)?.is_some()
        {
            return mail::send_again(tx, context, letter);
        }
        let message = "The mail server in the database is not the one that a provider set. What it accepts tells nobody \
                       anything: verify the audit trail, and set the mail server again.";
        return alerts::raise(tx, context, &council, "mail_server_differs", "mail", message);
    }
    if !store::one_operator_notices::set_accepted(tx, &notice, context.now)? {
        return Ok(());
    }
    let (address, hash) = (&letter.to, hash_of(letter));
    let Some(order) = &notice.order_id else {
        let details = json!({ "setting": notice.setting_id, "address": address, "letter": hash });
        audit::record(tx, context, &council, NOTICE_ACCEPTED, notice.setting_id.as_str(), details)?;
        return all_told(tx, context, &council, &notice.setting_id);
    };
    let details = json!({ "round": notice.round, "address": address, "letter": hash });
    audit::record(tx, context, &council, ORDER_ACCEPTED, order.as_str(), details)?;
    let Some(cooling) = store::cooling_offs::find(tx, &council, order)? else { return Ok(()) };
    if cooling.began_at.is_some() || cooling.round != notice.round || cooling.setting_id != notice.setting_id {
        return Ok(());
    }
    let of_round = store::one_operator_notices::of_order(tx, &council, &cooling.setting_id, order, cooling.round)?;
    if of_round.iter().all(|one| !one.needed || one.accepted_at.is_some()) {
        store::cooling_offs::set_began(tx, &cooling, context.now)?;
    }
    Ok(())
}

/// How long it is kept who was told of an order, or of an announcement that has ended; the trail keeps it longer.
const KEPT: Duration = Duration::days(90);

/// Forgets up to `limit` notices whose time has come; says how many.
///
/// # Errors
/// Of the database.
pub fn purge_notices(tx: &mut Transaction<'_>, now: Moment, limit: i64) -> Result<usize> {
    store::one_operator_notices::purge(tx, now - KEPT, limit)
}

/// Notes, once, that everyone who must be told of an announcement was told: by the trail, not by the rows.
fn all_told(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, setting: &OneOperatorId) -> Result<()> {
    let chain = council.as_str();
    let Some((row, said)) = trail::last_genuine(tx, context, chain, chain, &[BEGUN, TOLD, ENDED])? else {
        return Ok(());
    };
    if row.kind != BEGUN || said.get("setting").and_then(Value::as_str) != Some(setting.as_str()) {
        return Ok(());
    }
    let mut missing: Vec<Written> =
        said.get("told").and_then(|told| serde_json::from_value(told.clone()).ok()).unwrap_or_default();
    let rows = store::one_operator_notices::of_setting(tx, council, setting)?;
    // A link that was changed by hand stops nothing, so whoever has it was not told.
    if missing.is_empty() || !missing.iter().all(|one| rows.iter().any(|row| row.code_hash == one.code)) {
        return Ok(());
    }
    for (row, details) in store::audit::of_subject_and_kinds(tx, chain, setting.as_str(), &[NOTICE_ACCEPTED])? {
        if trail::is_genuine(tx, context, &row)?
            && let Some(said) = trail::said(&row, details)
        {
            let text = |name: &str| said.get(name).and_then(Value::as_str);
            missing.retain(|one| {
                text("address") != Some(one.address.as_str()) || text("letter") != Some(one.letter.as_str())
            });
        }
    }
    if !missing.is_empty() {
        return Ok(());
    }
    let details = json!({ "setting": setting, "hearers": said.get("hearers") });
    audit::record(tx, context, council, TOLD, chain, details)?;
    store::one_operator_settings::set_told(tx, council, setting, context.now)
}
