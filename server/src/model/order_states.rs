//! The life of an order: which event leads from which state to which (W1), and what each state is called for people.

use super::text_enum::text_enum;
use super::{HeldReason, OrderState, Platform, Scope};
use crate::error::{Error, Result};

text_enum! {
    /// What can happen to an order; also the kind of its audit row, after "order.".
    pub enum OrderEvent {
        /// Someone asked for it; the beginning.
        Requested => "requested",
        /// A second person approved it.
        Approved => "approved",
        /// Its cooling-off ended without a pause (one-operator working).
        CooledOff => "cooled_off",
        /// A second person refused it.
        Refused => "refused",
        /// Nobody approved it in time.
        Lapsed => "lapsed",
        /// Someone took it back.
        Cancelled => "cancelled",
        /// The push service accepted a wake-up.
        Pushed => "pushed",
        /// The device was given it, for the first time or again.
        Fetched => "fetched",
        /// The device said NotNow: it is offered again later.
        Deferred => "deferred",
        /// The device said that it erases itself.
        Confirmed => "confirmed",
        /// The device said that it cannot.
        Failed => "failed",
        /// It must wait for a person.
        Held => "held",
        /// A person let it go on.
        Resumed => "resumed",
        /// A person let its cooling-off begin anew.
        Restarted => "restarted",
        /// Nothing heard for 24 hours after the fetch.
        PresumedErased => "presumed_erased",
        /// Nothing heard for a week before the fetch.
        Unreachable => "unreachable",
        /// The device was heard again after it counted as erased: it is not.
        Reopened => "reopened",
        /// The device left management.
        LeftManagement => "left_management",
    }
}

impl OrderEvent {
    /// The kind of the audit row.
    #[must_use]
    pub fn audit_kind(self) -> String {
        format!("order.{self}")
    }

    /// The event of an audit row's kind; none when the row is about something else.
    #[must_use]
    pub fn from_audit_kind(kind: &str) -> Option<Self> {
        kind.strip_prefix("order.")?.parse().ok()
    }
}

impl OrderState {
    /// Where `event` leads from here.
    ///
    /// # Errors
    /// `Conflict` when that cannot happen to an order in this state; the text says what the state is.
    pub fn next(self, event: OrderEvent) -> Result<Self> {
        use OrderEvent as E;
        use OrderState as S;
        let to = match (self, event) {
            (S::Requested, E::Approved | E::CooledOff) => S::Approved,
            (S::Requested, E::Refused) => S::Refused,
            (S::Requested, E::Lapsed) => S::Lapsed,
            (S::Requested | S::Approved | S::Pushed | S::Held | S::Unreachable, E::Cancelled) => S::Cancelled,
            // Google is given a command again whose time ran out before its phone came.
            (S::Approved | S::Unreachable, E::Pushed) => S::Pushed,
            // An Idle after the fetch means that it was not carried out: the same command is offered again.
            (S::Approved | S::Pushed | S::Unreachable | S::Fetched, E::Fetched) => S::Fetched,
            (S::Fetched, E::Deferred) => S::Approved,
            // Whatever we believed meanwhile, the device knows whether it erased itself.
            (S::Fetched | S::PresumedErased | S::Approved | S::Pushed | S::Unreachable | S::Held, E::Confirmed) => {
                S::Confirmed
            }
            (S::Fetched | S::PresumedErased | S::Approved | S::Pushed | S::Unreachable | S::Held, E::Failed) => {
                S::Failed
            }
            (
                S::Requested | S::Approved | S::Pushed | S::Fetched | S::Unreachable | S::Held | S::PresumedErased,
                E::Held,
            ) => S::Held,
            (S::Held, E::Resumed) => S::Approved,
            (S::Held, E::Restarted) => S::Requested,
            (S::Fetched, E::PresumedErased) => S::PresumedErased,
            (S::Approved | S::Pushed, E::Unreachable) => S::Unreachable,
            (S::PresumedErased, E::Reopened) => S::Fetched,
            (
                S::Requested | S::Approved | S::Pushed | S::Fetched | S::Held | S::Unreachable | S::PresumedErased,
                E::LeftManagement,
            ) => S::LeftManagement,
            _ => return Err(Error::conflict(self.refusal_of(event))),
        };
        Ok(to)
    }

    /// Where an order stands after `events`, the first of which must be its request; none for a life that cannot be.
    pub fn replay(events: impl IntoIterator<Item = OrderEvent>) -> Option<Self> {
        let mut events = events.into_iter();
        events.next().filter(|first| *first == OrderEvent::Requested)?;
        events.try_fold(Self::Requested, |state, event| state.next(event).ok())
    }

    /// Whether the order may rest here for ever (W1).
    #[must_use]
    pub fn is_rest(self) -> bool {
        matches!(
            self,
            Self::Confirmed
                | Self::PresumedErased
                | Self::Refused
                | Self::Lapsed
                | Self::Cancelled
                | Self::Failed
                | Self::LeftManagement
        )
    }

    /// Whether the order waits here for a person or for the device to be heard from (W1).
    #[must_use]
    pub fn is_wait(self) -> bool {
        matches!(self, Self::Held | Self::Unreachable)
    }

    /// Whether the order is still to be decided or carried out; one such order per enrolment.
    #[must_use]
    pub fn is_open(self) -> bool {
        !self.is_rest()
    }

    /// Whether the device counts as erased: it said so, or was not heard from again after it fetched the order.
    #[must_use]
    pub fn counts_as_erased(self) -> bool {
        matches!(self, Self::Confirmed | Self::PresumedErased)
    }

    /// Whether an order in this state may be given to its device.
    #[must_use]
    pub fn may_be_released(self) -> bool {
        matches!(self, Self::Approved | Self::Pushed | Self::Unreachable | Self::Fetched)
    }

    /// What the state means, in words that are true: what was only sent says "sent" (W8).
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Requested => "asked for; waits for a second person to approve it",
            Self::Approved => "approved; not yet fetched by the phone, which is being woken",
            Self::Pushed => "approved; a wake-up was sent, the phone has not fetched the order yet",
            Self::Fetched => "sent to the phone, which has not answered yet",
            Self::Held => "held: waits for a person",
            Self::Unreachable => "approved; the phone has not been heard from for a week; the order still stands",
            Self::Confirmed => "confirmed by the phone: it erases itself",
            Self::PresumedErased => {
                "presumed erased: the phone fetched the order and has not been heard from for 24 hours; not confirmed. Should it \
                 be heard from, it is given the order again"
            }
            Self::Refused => "refused by the second person",
            Self::Lapsed => "lapsed: nobody approved it within 72 hours",
            Self::Cancelled => "cancelled before the phone fetched it",
            Self::Failed => "failed: it was not carried out; the error stands with it",
            Self::LeftManagement => "the phone left management; nothing more can be sent to it",
        }
    }

    /// The same for the phone that the order is for: an Android phone is not woken, Google passes the order on to it; and of a
    /// phone on which only the work profile goes, nothing else is said to be erased.
    #[must_use]
    pub fn words_for(self, platform: Platform, scope: Scope) -> &'static str {
        match (self, platform, scope) {
            (Self::Approved, Platform::Android, _) => "approved; not given to Google yet",
            (Self::Pushed, Platform::Android, _) => {
                "approved; Google has it and passes it on when the phone is next online; the phone has not confirmed it"
            }
            (Self::Unreachable, Platform::Android, _) => {
                "approved; the phone has not come for it at Google; the order still stands"
            }
            (Self::Confirmed, _, Scope::EraseWorkProfile) => {
                "confirmed by the phone: it removed the council's work profile, and nothing else"
            }
            _ => self.words(),
        }
    }

    fn refusal_of(self, event: OrderEvent) -> String {
        match (self, event) {
            (Self::Fetched | Self::PresumedErased | Self::Confirmed, OrderEvent::Cancelled) => format!(
                "too late to cancel: the phone has fetched the order already ({}). It cannot be called back",
                self.words()
            ),
            _ => format!("the order is no longer in a state in which it can be {}: {}", event.done(), self.words()),
        }
    }
}

impl OrderEvent {
    fn done(self) -> &'static str {
        match self {
            Self::LeftManagement => "ended because the phone left management",
            Self::CooledOff => "carried out after its cooling-off",
            Self::Restarted => "begun anew",
            Self::PresumedErased => "presumed erased",
            Self::Unreachable => "called unreachable",
            other => other.as_str(),
        }
    }
}

impl HeldReason {
    /// What the order waits for, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ReEnrolled => {
                "the phone has enrolled again since: cancel the order, or ask for a new one for the phone as it is now"
            }
            Self::LegalHold => "a legal hold lies on the device: end the hold, then resume or cancel the order",
            Self::Frozen => "orders are frozen because the cap was reached: two people must thaw them, then resume it",
            Self::Quarantine => {
                "the server was restored from a backup: say whether this order still stands, or cancel it"
            }
            Self::IdentityWaiting => {
                "it is not certain that this phone is the one on the register: confirm the device, then resume the order"
            }
            Self::Forbidden => {
                "a rule forbids to carry it out as things stand now: see the problem; put that right and resume the order, \
                 or cancel it"
            }
            Self::Paused => {
                "somebody who was told of it by mail paused it: speak with them, then let its 30 minutes begin anew, or cancel \
                 the order"
            }
            Self::Distrusted => {
                "the record of this order does not agree with its seal or with the audit trail: somebody changed it by \
                 hand. Nothing was sent; cancel it and look into the matter"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same life written down as W1 and the wipe rules tell it, as plain flags, to hold the table against.
    #[derive(Clone, Debug, Default)]
    struct Reference {
        approved: bool,
        with_device: bool,
        presumed: bool,
        waits: Option<&'static str>,
        pushed: bool,
        end: Option<OrderState>,
    }

    impl Reference {
        fn apply(&mut self, event: OrderEvent) -> bool {
            use OrderEvent as E;
            if self.end.is_some() {
                return false;
            }
            let held = self.waits == Some("held");
            let quiet = self.approved && !held && !self.with_device && !self.presumed;
            match event {
                E::Requested => false,
                E::Approved | E::CooledOff | E::Refused | E::Lapsed if self.approved || held => false,
                E::Approved | E::CooledOff => {
                    self.approved = true;
                    true
                }
                E::Refused => self.finish(OrderState::Refused),
                E::Lapsed => self.finish(OrderState::Lapsed),
                E::Cancelled if self.with_device || self.presumed => false,
                E::Cancelled => self.finish(OrderState::Cancelled),
                E::Pushed if !quiet || self.pushed => false,
                E::Pushed => {
                    *self = Self { approved: true, pushed: true, ..Self::default() };
                    true
                }
                E::Fetched if !self.approved || held || self.presumed => false,
                E::Fetched => {
                    *self = Self { approved: true, with_device: true, ..Self::default() };
                    true
                }
                E::Deferred if !self.with_device => false,
                E::Deferred => {
                    *self = Self { approved: true, ..Self::default() };
                    true
                }
                E::Confirmed | E::Failed if !self.approved && !held => false,
                E::Confirmed => self.finish(OrderState::Confirmed),
                E::Failed => self.finish(OrderState::Failed),
                E::Held => {
                    *self = Self { approved: self.approved, waits: Some("held"), ..Self::default() };
                    true
                }
                E::Resumed if !held => false,
                E::Resumed => {
                    *self = Self { approved: true, ..Self::default() };
                    true
                }
                E::Restarted if !held => false,
                E::Restarted => {
                    *self = Self::default();
                    true
                }
                E::PresumedErased if !self.with_device => false,
                E::PresumedErased => {
                    *self = Self { approved: true, presumed: true, ..Self::default() };
                    true
                }
                E::Unreachable if !quiet || self.waits.is_some() => false,
                E::Unreachable => {
                    *self = Self { approved: true, waits: Some("unreachable"), ..Self::default() };
                    true
                }
                E::Reopened if !self.presumed => false,
                E::Reopened => {
                    *self = Self { approved: true, with_device: true, ..Self::default() };
                    true
                }
                E::LeftManagement => self.finish(OrderState::LeftManagement),
            }
        }

        fn finish(&mut self, end: OrderState) -> bool {
            self.end = Some(end);
            true
        }

        fn state(&self) -> OrderState {
            match self {
                Self { end: Some(end), .. } => *end,
                Self { waits: Some("held"), .. } => OrderState::Held,
                Self { waits: Some(_), .. } => OrderState::Unreachable,
                Self { presumed: true, .. } => OrderState::PresumedErased,
                Self { with_device: true, .. } => OrderState::Fetched,
                Self { pushed: true, .. } => OrderState::Pushed,
                Self { approved: true, .. } => OrderState::Approved,
                _ => OrderState::Requested,
            }
        }
    }

    proptest! {
        #[test]
        fn any_sequence_of_events_agrees_with_the_reference(
            events in prop::collection::vec(prop::sample::select(OrderEvent::ALL), 0..40)
        ) {
            let (mut state, mut reference) = (OrderState::Requested, Reference::default());
            let mut happened = vec![OrderEvent::Requested];
            for event in events {
                let next = state.next(event);
                prop_assert_eq!(next.is_ok(), reference.apply(event), "{} from {}", event, state);
                if let Ok(next) = next {
                    state = next;
                    happened.push(event);
                }
                prop_assert_eq!(state, reference.state());
                prop_assert!(!(state.is_rest() && state.is_wait()));
            }
            prop_assert_eq!(OrderState::replay(happened), Some(state));
        }
    }

    #[test]
    fn only_presumed_erased_is_ever_left_again() {
        for state in OrderState::ALL.iter().filter(|state| state.is_rest()) {
            let ways_out = OrderEvent::ALL.iter().filter(|event| state.next(**event).is_ok()).count();
            assert_eq!(ways_out > 0, *state == OrderState::PresumedErased, "{state}");
        }
    }

    #[test]
    fn every_open_state_can_come_to_rest() {
        for state in OrderState::ALL.iter().filter(|state| state.is_open()) {
            assert!(
                OrderEvent::ALL.iter().any(|event| state.next(*event).is_ok_and(OrderState::is_rest)),
                "{state} has no end"
            );
        }
    }

    #[test]
    fn nothing_fetched_can_be_cancelled() {
        let problem = OrderState::Fetched.next(OrderEvent::Cancelled).expect_err("too late").to_string();
        assert!(problem.contains("too late to cancel"), "{problem}");
    }
}
