//! The seal on an order: what it covers, and on whose authority the order goes.

use super::order::OrderFacts;
use super::{Moment, OneOperatorId, OperatorId};
use crate::error::{Error, Result};
use crate::keys::{ApprovalKeys, MacKey};

/// One for each kind of authority, so that no seal of the one is ever taken for the other.
const BY_A_SECOND_PERSON: &str = "beadle order seal 1";
const BY_A_COOLING_OFF: &str = "beadle order seal 2";

/// The seal that the authorisation of an order puts on it. Only an approval and the end of a cooling-off sign.
#[derive(Debug)]
pub(crate) struct Seal {
    /// The HMAC-SHA-256.
    pub(crate) mac: Vec<u8>,
    /// The id of the key that made it.
    pub(crate) key: String,
}

impl Seal {
    /// Seals an authorised order. Called by `operations::orders::authorise` and nowhere else, and that by an approval and by the end
    /// of a cooling-off; a test looks after both.
    pub(crate) fn sign(facts: &OrderFacts<'_>, keys: &ApprovalKeys) -> Result<Self> {
        let key = keys.current()?;
        let mac = with_parts(facts, |domain, parts| key.mac(domain, parts))?;
        Ok(Self { mac, key: key.id.clone() })
    }
}

/// On whose authority an order goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Authority<'a> {
    /// Another person's than the one who asked for it.
    SecondPerson(&'a OperatorId),
    /// That of a time, from this moment on, in which nobody paused it, under this announced setting.
    CoolingOff(&'a OneOperatorId, Moment),
}

impl<'a> OrderFacts<'a> {
    /// None where there is no authority, or more than one.
    pub(super) fn authority(&self) -> Option<Authority<'a>> {
        match (self.approved_by, self.one_operator, self.cooling_off_from) {
            (Some(by), None, None) => Some(Authority::SecondPerson(by)),
            (None, Some(setting), Some(from)) => Some(Authority::CoolingOff(setting, from)),
            _ => None,
        }
    }
}

/// Gives `work` everything that the seal covers; fails on an order that was never authorised.
fn with_parts<T>(facts: &OrderFacts<'_>, work: impl FnOnce(&str, &[&[u8]]) -> Result<T>) -> Result<T> {
    let unapproved = || Error::internal("an order that was not approved has no seal");
    let authority = facts.authority().ok_or_else(unapproved)?;
    let approved_at = facts.approved_at.ok_or_else(unapproved)?;
    let command = facts.command.ok_or_else(unapproved)?;
    let octets = |moment: Moment| moment.unix_micros().to_be_bytes();
    let (domain, by, from) = match authority {
        Authority::SecondPerson(by) => (BY_A_SECOND_PERSON, by.as_str(), None),
        Authority::CoolingOff(setting, from) => (BY_A_COOLING_OFF, setting.as_str(), Some(octets(from))),
    };
    let (plan, requested_at, approved_at) =
        ([u8::from(facts.preserve_data_plan)], octets(facts.requested_at), octets(approved_at));
    let mut parts: Vec<&[u8]> = vec![
        facts.council.as_str().as_bytes(),
        facts.order.as_str().as_bytes(),
        facts.case.as_str().as_bytes(),
        facts.device.as_str().as_bytes(),
        facts.enrolment.as_str().as_bytes(),
        facts.mode.as_str().as_bytes(),
        facts.ownership.as_str().as_bytes(),
        facts.scope.as_str().as_bytes(),
        &plan,
        facts.requested_by.as_str().as_bytes(),
        &requested_at,
        by.as_bytes(),
        &approved_at,
        command.as_str().as_bytes(),
    ];
    parts.extend(from.as_ref().map(|from| from.as_slice()));
    work(domain, &parts)
}

/// Whether the seal on an order is the one that its authorisation put there.
pub(super) fn seal_is_right(facts: &OrderFacts<'_>, keys: &ApprovalKeys) -> bool {
    let Some(key): Option<&MacKey> = facts.seal_key.and_then(|id| keys.by_id(id)) else { return false };
    let Some(seal) = facts.seal else { return false };
    with_parts(facts, |domain, parts| key.verify(domain, parts, seal)).unwrap_or(false)
}
