//! What the audit trail proves of one-operator working. The rows are for finding and showing; nothing is destroyed on their word.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::notices::Written;
use super::{BEGUN, ENDED, Hearer, NOTICE, ORDER_ACCEPTED, ORDER_WANTED, TOLD};
use crate::error::Result;
use crate::model::{CouncilId, HeldReason, Moment, OneOperatorId, OrderEvent, OrderState};
use crate::operations::{Context, mail, trail};
use crate::store::audit::AuditRow;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// The setting as it counts.
pub(in crate::operations) struct InEffect {
    pub(in crate::operations) setting: OneOperatorId,
    /// Who is told of each order.
    pub(in crate::operations) hearers: Vec<Hearer>,
    told: AuditRow,
}

/// The council's setting, if it counted at `at`: everyone was told 72 hours before by the trail's last word about it, it has not
/// ended by the row either, and the mail server had been the same for as long. The caller holds the council's lock.
pub(in crate::operations) fn in_effect(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    at: Moment,
) -> Result<Option<InEffect>> {
    let Some(standing) = store::one_operator_settings::standing(tx, council)? else { return Ok(None) };
    let chain = council.as_str();
    let Some((told, said)) = trail::last_genuine(tx, context, chain, chain, &[BEGUN, TOLD, ENDED])? else {
        return Ok(None);
    };
    let same = said.get("setting").and_then(Value::as_str) == Some(standing.id.as_str());
    if told.kind != TOLD || !same || told.at + NOTICE > at {
        return Ok(None);
    }
    let Some(server) = store::mail_servers::find(tx)? else { return Ok(None) };
    if mail::proven_since(tx, context, &server)?.is_none_or(|since| since + NOTICE > at) {
        return Ok(None);
    }
    let hearers: Option<Vec<Hearer>> =
        said.get("hearers").and_then(|hearers| serde_json::from_value(hearers.clone()).ok());
    Ok(hearers.map(|hearers| InEffect { setting: standing.id, hearers, told }))
}

/// Why an order does not count as told of.
pub(in crate::operations) struct Untold {
    pub(in crate::operations) reason: HeldReason,
    pub(in crate::operations) words: &'static str,
}

const fn untold(reason: HeldReason, words: &'static str) -> Untold {
    Untold { reason, words }
}

/// Under which setting, and since when, everyone who must be told of this waiting order has been told, without a pause since.
/// Walks the chain from when the setting was told to its sealed end, so that no row in between can be missing. The caller holds
/// the council's lock.
pub(in crate::operations) fn told_since(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
) -> Result<std::result::Result<(OneOperatorId, Moment), Untold>> {
    let Some(effect) = in_effect(tx, context, &order.council_id, order.requested_at)? else {
        return Ok(Err(untold(
            HeldReason::Forbidden,
            "one-operator working was not, or is no longer, in effect as it was when the order was asked for",
        )));
    };
    let chain = order.council_id.as_str();
    let mut rows: Vec<AuditRow> = Vec::new();
    let mut ended = false;
    let from = (effect.told.seq, effect.told.mac.clone());
    let whole = trail::walk_rows(tx, context, chain, from, |row| {
        ended |= row.subject == chain && [BEGUN, TOLD, ENDED].contains(&row.kind.as_str());
        if row.subject == order.id.as_str() {
            rows.push(row.clone());
        }
    })?;
    if !whole || ended {
        let words = "the audit trail since the council was told of one-operator working is not whole";
        return Ok(Err(untold(HeldReason::Distrusted, words)));
    }
    let Some(heard) = replay(tx, &rows)? else {
        let words = "the audit trail does not say that everyone who must be told was told of it";
        return Ok(Err(untold(HeldReason::Distrusted, words)));
    };
    let known: BTreeSet<&str> = effect.hearers.iter().map(|hearer| hearer.address.as_str()).collect();
    let (mut since, mut all) = (order.requested_at, !heard.wanted.is_empty());
    let round = store::cooling_offs::find(tx, &order.council_id, &order.id)?.map_or(0, |cooling| cooling.round);
    let rows = store::one_operator_notices::of_order(tx, &order.council_id, &effect.setting, &order.id, round)?;
    for one in &heard.wanted {
        // A link that was changed by hand, or was used, stops nothing any more.
        let stops = rows.iter().any(|row| row.code_hash == one.code && row.used_at.is_none());
        match heard.accepted.get(&one.letter) {
            Some(at) if stops && known.contains(one.address.as_str()) => since = since.max(*at),
            _ => all = false,
        }
    }
    if !all || heard.setting.as_deref() != Some(effect.setting.as_str()) {
        let words = "the audit trail does not say that everyone who must be told was told of it";
        return Ok(Err(untold(HeldReason::Distrusted, words)));
    }
    Ok(Ok((effect.setting, since)))
}

/// Who had to be told of an order, and who was, since it was last asked for or begun anew.
#[derive(Default)]
struct Heard {
    setting: Option<String>,
    wanted: Vec<Written>,
    /// By letter: when the mail server took it.
    accepted: BTreeMap<String, Moment>,
}

/// Follows an order's rows from its request; none where they do not leave it waiting.
fn replay(tx: &mut Transaction<'_>, rows: &[AuditRow]) -> Result<Option<Heard>> {
    let mut events = Vec::new();
    let mut heard = Heard::default();
    for row in rows {
        if let Some(event) = OrderEvent::from_audit_kind(&row.kind) {
            events.push(event);
            // Whatever happened to it, those who were told before were told of something else.
            heard = Heard::default();
            continue;
        }
        if ![ORDER_WANTED, ORDER_ACCEPTED].contains(&row.kind.as_str()) {
            continue;
        }
        let details = store::audit::details_of(tx, row)?;
        let Some(said) = trail::said(row, details) else { return Ok(None) };
        if row.kind == ORDER_WANTED {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let wanted = said.get("wanted").and_then(|wanted| serde_json::from_value(wanted.clone()).ok());
            heard = Heard {
                setting: said.get("setting").and_then(text),
                wanted: wanted.unwrap_or_default(),
                accepted: BTreeMap::new(),
            };
        } else if let Some(letter) = said.get("letter").and_then(Value::as_str) {
            // Each letter has a link of its own, so that one of an earlier round is another letter.
            heard.accepted.entry(letter.to_owned()).or_insert(row.at);
        }
    }
    Ok((OrderState::replay(events) == Some(OrderState::Requested)).then_some(heard))
}
