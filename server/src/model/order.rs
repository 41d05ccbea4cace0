//! The proof that something may be destroyed.

use super::{CommandId, CouncilId, EnrolmentId, OrderId, Scope};

/// Proof that an order was authorised, for this council, this enrolment and this scope. Made by `Release::verify` alone.
#[derive(Debug)]
pub struct Release {
    council: CouncilId,
    order: OrderId,
    enrolment: EnrolmentId,
    command: CommandId,
    scope: Scope,
    preserve_data_plan: bool,
}

impl Release {
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
