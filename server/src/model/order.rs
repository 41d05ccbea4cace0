//! The proof that something may be destroyed: what must hold at the moment at which an order leaves.

use chrono::Duration;

use super::order_seal::{Authority, seal_is_right};
use super::{
    CaseId, CommandId, Confirmation, CouncilId, DeviceId, EnrolmentId, HeldReason, Mode, Moment, OneOperatorId,
    OperatorId, OrderId, OrderState, Ownership, Platform, Scope,
};
use crate::keys::ApprovalKeys;

/// How long a request waits for its second person before it lapses.
pub const APPROVAL_WINDOW: Duration = Duration::hours(72);

/// In one-operator working: how long an order waits for a pause, from when everyone who must be told was told.
pub const COOLING_OFF: Duration = Duration::minutes(30);

/// By how much two readings of the time may disagree without meaning anything: a phone's visit that began a moment before the
/// approval was written, or two servers whose clocks differ.
const SKEW: Duration = Duration::minutes(5);

/// What an order's row claims, borrowed from the row; nothing in it is believed before `Release::verify`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the column of the same name")]
pub struct OrderFacts<'a> {
    pub council: &'a CouncilId,
    pub order: &'a OrderId,
    pub case: &'a CaseId,
    pub device: &'a DeviceId,
    pub enrolment: &'a EnrolmentId,
    pub mode: Mode,
    pub ownership: Ownership,
    pub scope: Scope,
    pub state: OrderState,
    pub preserve_data_plan: bool,
    pub requested_by: &'a OperatorId,
    pub requested_at: Moment,
    pub approved_by: Option<&'a OperatorId>,
    pub one_operator: Option<&'a OneOperatorId>,
    pub cooling_off_from: Option<Moment>,
    pub approved_at: Option<Moment>,
    pub command: Option<&'a CommandId>,
    pub seal: Option<&'a [u8]>,
    pub seal_key: Option<&'a str>,
    pub ended: bool,
}

/// The enrolment that asks for its next command, as its row says.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the column of the same name")]
pub struct EnrolmentFacts<'a> {
    pub council: &'a CouncilId,
    pub enrolment: &'a EnrolmentId,
    pub device: &'a DeviceId,
    pub mode: Mode,
    pub ownership: Ownership,
    pub confirmation: Confirmation,
    pub mode_disagrees: bool,
    /// Enrolled and not ended.
    pub live: bool,
}

/// What else must hold at the moment of release.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The case that the order serves is about this device and open; or it was closed, the device not found, when the
    /// device counted as erased by this order: should it come back, it must still be erased.
    pub case_stands: bool,
    /// Whose the asset is, by the register, today.
    pub asset_ownership: Ownership,
    /// A legal hold lies on the device.
    pub legal_hold: bool,
    /// Orders of the council, or of the whole installation, are frozen.
    pub frozen: bool,
    /// The server is in quarantine after a restore.
    pub quarantine: bool,
    /// The command of the last authorisation that the audit trail knows of the order, unless it was taken back since.
    pub authorised: Option<CommandId>,
    /// Where the audit trail leaves the order; none when the trail is broken or does not begin with the request.
    pub trail: Option<OrderState>,
}

/// Why an order is not released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The row does not agree with its seal, its enrolment or the audit trail: somebody changed it by hand.
    Distrusted(&'static str),
    /// A cause that a person can end; until then the order is held.
    Held(HeldReason),
    /// The whole server is in quarantine; nothing changes until that ends.
    Quarantine,
    /// A rule forbids it, whatever anybody approved.
    Forbidden(&'static str),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Distrusted(why) | Self::Forbidden(why) => formatter.write_str(why),
            Self::Held(reason) => write!(formatter, "the order is held: {}", reason.words()),
            Self::Quarantine => formatter.write_str("the server is in quarantine after a restore"),
        }
    }
}

/// Why no order can be given for a device of this ownership and mode, if that is so (W3).
#[must_use]
pub fn forbidden_by_ownership(ownership: Ownership, mode: Mode, scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::EraseDevice if ownership == Ownership::Personal => {
            Some("this is a personal device: Beadle never erases the whole of one")
        }
        Scope::EraseDevice if matches!(mode, Mode::User | Mode::PersonalWorkProfile) => {
            Some("this device is managed in its work part only: Beadle never erases the whole of it")
        }
        Scope::EraseDevice => None,
        Scope::EraseWorkProfile if mode == Mode::PersonalWorkProfile => None,
        Scope::EraseWorkProfile => Some("only a work profile on a holder's own phone can be removed by itself"),
        // Never asked for: a confirmed wipe yields it, see `Release::to_forget`.
        Scope::ForgetRecord => Some("a record is forgotten after a confirmed wipe, not by an order of its own"),
    }
}

/// Proof that an order was authorised, for this council, this enrolment and this scope. Made by `Release::verify` alone;
/// it can be neither stored, nor read from anywhere, nor copied.
#[derive(Debug)]
pub struct Release {
    council: CouncilId,
    order: OrderId,
    enrolment: EnrolmentId,
    command: CommandId,
    mode: Mode,
    ownership: Ownership,
    scope: Scope,
    preserve_data_plan: bool,
}

impl Release {
    /// Checks an order, at the moment at which it would leave, against everything that must hold. With
    /// [`Release::to_forget`], the only constructor.
    ///
    /// # Errors
    /// The first thing that does not hold. A row that was changed by hand is told from one that merely has to wait.
    pub fn verify(
        order: &OrderFacts<'_>,
        enrolment: &EnrolmentFacts<'_>,
        circumstances: &Circumstances,
        keys: &ApprovalKeys,
        now: Moment,
    ) -> Result<Self, Refusal> {
        use Refusal::{Distrusted, Forbidden, Held};
        if order.council != enrolment.council {
            return Err(Distrusted("the order belongs to another council than the device"));
        }
        if order.enrolment != enrolment.enrolment || order.device != enrolment.device {
            return Err(Distrusted("the order is for another device, or for an earlier enrolment of it"));
        }
        if !seal_is_right(order, keys) {
            return Err(Distrusted("its seal is wrong: nobody approved this order as it now stands"));
        }
        let (Some(authority), Some(approved_at), Some(command)) = (order.authority(), order.approved_at, order.command)
        else {
            return Err(Distrusted("nobody approved it"));
        };
        match authority {
            Authority::SecondPerson(by) if by == order.requested_by => {
                return Err(Distrusted("the same person asked for it and approved it"));
            }
            Authority::CoolingOff(_, from) if from < order.requested_at || approved_at < from + COOLING_OFF => {
                return Err(Distrusted("its cooling-off was cut short"));
            }
            Authority::SecondPerson(_) | Authority::CoolingOff(..) => {}
        }
        if approved_at + SKEW < order.requested_at
            || approved_at > order.requested_at + APPROVAL_WINDOW
            || approved_at > now + SKEW
        {
            return Err(Distrusted("it was not approved within its 72 hours"));
        }
        if circumstances.authorised.as_ref() != Some(command) {
            return Err(Distrusted(
                "the audit trail does not know this authorisation of it, or knows that it was taken back",
            ));
        }
        if circumstances.trail != Some(order.state) {
            return Err(Distrusted("the audit trail does not agree with its state"));
        }
        if order.ended || !order.state.may_be_released() {
            return Err(Distrusted("it is not an order that waits to be carried out"));
        }
        if order.mode != enrolment.mode || order.ownership != enrolment.ownership {
            return Err(Forbidden("whose the device is, or how it is managed, is no longer what was approved"));
        }
        if let Some(why) = forbidden_by_ownership(order.ownership, order.mode, order.scope)
            .or_else(|| forbidden_by_ownership(circumstances.asset_ownership, enrolment.mode, order.scope))
        {
            return Err(Forbidden(why));
        }
        if !circumstances.case_stands {
            return Err(Forbidden("its case is no longer open"));
        }
        if !enrolment.live {
            return Err(Forbidden("the enrolment has ended"));
        }
        if circumstances.quarantine {
            return Err(Refusal::Quarantine);
        }
        if circumstances.legal_hold {
            return Err(Held(HeldReason::LegalHold));
        }
        if circumstances.frozen {
            return Err(Held(HeldReason::Frozen));
        }
        if enrolment.confirmation == Confirmation::Waiting || enrolment.mode_disagrees {
            return Err(Held(HeldReason::IdentityWaiting));
        }
        Ok(Self::of(order, command, order.scope))
    }

    /// What a confirmed wipe of an Android phone allows once more: tidying away its record at Google (`devices.delete`). Never
    /// after one that was only presumed carried out, since Google would pass the deletion on to a phone that lives.
    ///
    /// # Errors
    /// `Distrusted` for an order that is not confirmed by its row, its seal and the audit trail alike.
    pub fn to_forget(
        order: &OrderFacts<'_>,
        enrolment: &EnrolmentFacts<'_>,
        trail: Option<OrderState>,
        keys: &ApprovalKeys,
    ) -> Result<Self, Refusal> {
        use Refusal::Distrusted;
        if order.council != enrolment.council || order.enrolment != enrolment.enrolment {
            return Err(Distrusted("the order is for another device, or for an earlier enrolment of it"));
        }
        if !seal_is_right(order, keys) {
            return Err(Distrusted("its seal is wrong: nobody approved this order as it now stands"));
        }
        if order.state != OrderState::Confirmed || trail != Some(OrderState::Confirmed) {
            return Err(Distrusted("the phone has not confirmed it, by the audit trail"));
        }
        if order.mode.platform() != Platform::Android {
            return Err(Refusal::Forbidden("only Google keeps a record of a device"));
        }
        let command = order.command.ok_or(Distrusted("nobody approved it"))?;
        Ok(Self::of(order, command, Scope::ForgetRecord))
    }

    fn of(order: &OrderFacts<'_>, command: &CommandId, scope: Scope) -> Self {
        Self {
            council: order.council.clone(),
            order: order.order.clone(),
            enrolment: order.enrolment.clone(),
            command: command.clone(),
            mode: order.mode,
            ownership: order.ownership,
            scope,
            preserve_data_plan: order.preserve_data_plan,
        }
    }

    /// The council.
    #[must_use]
    pub fn council(&self) -> &CouncilId {
        &self.council
    }
    /// The order.
    #[must_use]
    pub fn order(&self) -> &OrderId {
        &self.order
    }
    /// The enrolment that it may be given to.
    #[must_use]
    pub fn enrolment(&self) -> &EnrolmentId {
        &self.enrolment
    }
    /// The CommandUUID, the same at every repeat.
    #[must_use]
    pub fn command(&self) -> &CommandId {
        &self.command
    }
    /// The mode of the enrolment, as it was approved and still is.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
    /// Whose the device is, as it was approved and still is.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        self.ownership
    }
    /// What is destroyed.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }
    /// Whether the mobile plan stays on the device (loss) or goes too (leaver).
    #[must_use]
    pub fn preserve_data_plan(&self) -> bool {
        self.preserve_data_plan
    }
}
