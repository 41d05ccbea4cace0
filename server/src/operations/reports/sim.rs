//! SIM cards, in every slot: one that was taken out, put in or exchanged is told, each time.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::Result;
use crate::operations::{Context, alerts};
use crate::store::Transaction;
use crate::store::devices::Device;
use crate::store::reports::Report;

const ALERT: &str = "sim_changed";
/// What an answer that says anything about cards and networks has at least one of. Without any, a missing card means nothing.
const ABOUT_NETWORKS: [&str; 7] =
    ["ServiceSubscriptions", "ICCID", "PhoneNumber", "IsRoaming", "DataRoamingEnabled", "CellularTechnology", "IMEI"];

/// The text under `key`, if there is any.
pub(super) fn text_of(facts: &Value, key: &str) -> Option<String> {
    facts.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The slots of a phone with ServiceSubscriptions (iOS 12 and later), in their order.
fn slots(facts: &Value) -> Vec<&Value> {
    let mut slots: Vec<&Value> =
        facts.get("ServiceSubscriptions").and_then(Value::as_array).into_iter().flatten().collect();
    // "CTSubscriptionSlotOne" sorts before "…Two".
    slots.sort_by_key(|slot| text_of(slot, "Slot"));
    slots
}

/// What the phone says under `key` about itself, or else about the first slot that has a card.
pub(super) fn first_line(facts: &Value, key: &str) -> Option<String> {
    let slots = slots(facts);
    let with_card = slots.iter().find(|slot| text_of(slot, "ICCID").is_some()).or(slots.first());
    text_of(facts, key).or_else(|| with_card.and_then(|slot| text_of(slot, key)))
}

/// The cards of a phone and the numbers they have.
#[derive(Debug, Default, PartialEq)]
struct Sims {
    cards: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl Sims {
    /// What the answer says of them; nothing where it is not about networks at all.
    fn of(facts: &Value) -> Option<Self> {
        ABOUT_NETWORKS.iter().any(|key| facts.get(key).is_some()).then(|| {
            let all = |key: &str| {
                slots(facts).into_iter().chain(std::iter::once(facts)).filter_map(|place| text_of(place, key)).collect()
            };
            Self { cards: all("ICCID"), numbers: all("PhoneNumber") }
        })
    }

    fn known(device: &Device) -> Self {
        Self { cards: device.iccid.iter().cloned().collect(), numbers: device.phone_number.iter().cloned().collect() }
    }
}

/// Compares the cards with those of the report before, or with what is known of the device where there is none.
pub(super) fn compare(
    tx: &mut Transaction<'_>,
    context: &Context,
    device: &Device,
    facts: &Value,
    before: Option<&Report>,
) -> Result<()> {
    let Some(now) = Sims::of(facts) else { return Ok(()) };
    let earlier = match before {
        Some(report) => {
            let answer: Value = serde_json::from_str(&report.answer)?;
            answer.get("QueryResponses").and_then(Sims::of)
        }
        None => None,
    };
    let Some(message) = words(earlier.as_ref(), &now, &Sims::known(device)) else { return Ok(()) };
    alerts::raise_anew(tx, context, &device.council_id, ALERT, device.id.as_str(), &message)
}

/// What changed, in words; nothing where nothing did that a person should hear of. `earlier` is the report before, `known`
/// the one card that is kept with the device.
fn words(earlier: Option<&Sims>, now: &Sims, known: &Sims) -> Option<String> {
    let before = earlier.unwrap_or(known);
    let gone: Vec<&String> = before.cards.difference(&now.cards).collect();
    // The first card of a phone that never had one, the same card back in its place, and a second card where only one was
    // ever written down are as they should be.
    let usual = |card: &&String| {
        let first_or_back = before.cards.is_empty() && (known.cards.is_empty() || known.cards.contains(*card));
        first_or_back || (earlier.is_none() && gone.is_empty())
    };
    let come: Vec<&String> = now.cards.difference(&before.cards).filter(|card| !usual(card)).collect();
    let other_number =
        !before.numbers.is_empty() && !now.numbers.is_empty() && before.numbers != now.numbers && gone.is_empty();
    let mut message = match (gone.is_empty(), come.is_empty()) {
        (true, true) if !other_number => return None,
        (true, true) => "The number of this phone changed.".to_owned(),
        (false, true) => format!("A SIM was taken out of this phone: the card that ended in {}.", ends(&gone)),
        (true, false) => format!("A SIM was put into this phone: the card that ends in {}.", ends(&come)),
        (false, false) => {
            format!("The SIM of this phone changed. The card ended in {}, now in {}.", ends(&gone), ends(&come))
        }
    };
    if before.numbers != now.numbers && !before.numbers.is_empty() {
        let (before, now): (Vec<_>, Vec<_>) = (before.numbers.iter().collect(), now.numbers.iter().collect());
        message += &format!(" The number ended in {}, now in {}.", ends(&before), ends(&now));
    }
    message += " If nobody of the council did this, report the phone as lost.";
    Some(message)
}

/// The last digits of each: enough to know it by.
fn ends(texts: &[&String]) -> String {
    let end =
        |text: &str| text.char_indices().nth_back(5).map_or(text, |(at, _)| text.get(at..).unwrap_or(text)).to_owned();
    match texts {
        [] => "none".to_owned(),
        texts => texts.iter().map(|text| end(text)).collect::<Vec<_>>().join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sims(cards: &[&str]) -> Sims {
        Sims { cards: cards.iter().map(|card| (*card).to_owned()).collect(), numbers: BTreeSet::new() }
    }

    #[test]
    fn every_slot_is_looked_at_and_a_partial_answer_means_nothing() {
        let facts = json!({ "OSVersion": "18.1" });
        assert_eq!(Sims::of(&facts), None, "not asked about networks");
        let facts = json!({ "IMEI": "35", "ServiceSubscriptions": [
            { "Slot": "CTSubscriptionSlotTwo", "ICCID": "B" }, { "Slot": "CTSubscriptionSlotOne" } ] });
        assert_eq!(Sims::of(&facts), Some(sims(&["B"])));
        assert_eq!(first_line(&facts, "ICCID").as_deref(), Some("B"), "the slot that has a card");
        assert_eq!(Sims::of(&json!({ "IMEI": "35" })), Some(Sims::default()), "no card at all");
    }

    #[test]
    fn what_is_told_and_what_is_not() {
        let none = sims(&[]);
        let told = |before: &[&str], now: &[&str], known: &[&str]| {
            words(Some(&sims(before)), &sims(now), &sims(known)).unwrap_or_default()
        };
        assert_eq!(words(Some(&none), &none, &none), None);
        assert_eq!(words(None, &sims(&["A", "B"]), &sims(&["A"])), None, "the first report of a phone with two cards");
        assert!(words(None, &sims(&["B"]), &sims(&["A"])).is_some(), "exchanged while it was away");
        assert_eq!(told(&["8944000001"], &["8944000001"], &["8944000001"]), "");
        assert_eq!(told(&[], &["8944000001"], &[]), "", "the first card ever");
        assert_eq!(told(&[], &["8944000001"], &["8944000001"]), "", "the same card back");
        assert!(
            told(&["8944000001"], &[], &["8944000001"])
                .starts_with("A SIM was taken out of this phone: the card that ended in 000001.")
        );
        assert!(
            told(&[], &["8944000002"], &["8944000001"]).contains("put into this phone: the card that ends in 000002.")
        );
        assert!(told(&["A"], &["A", "B"], &["A"]).contains("put into this phone: the card that ends in B."));
        assert!(told(&["A"], &["B"], &["A"]).contains("The card ended in A, now in B."));
    }
}
