//! Who asks, and what he may do: the table "Who may do what", checked in operations, never in pages alone.

use chrono::Duration;

use super::text_enum::text_enum;
use super::{AssetId, CouncilId, DeviceId, EnrolmentId, InvitationId, Moment, OperatorId, Role, SessionId, TokenId};
use crate::error::{Error, Result};

/// How long a re-authentication counts for requesting and approving.
pub const REAUTHENTICATION: Duration = Duration::minutes(5);

/// What [`Actor::require_fresh`] says when it has been longer; the API marks it, so that a program can ask the person.
pub const CONFIRM_FIRST: &str = "confirm your password and second factor again; five minutes have passed";

/// An operator with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub operator: OperatorId,
    /// By which sign-in.
    pub session: SessionId,
    /// The name to show.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The council; none for a provider, who has all.
    pub council: Option<CouncilId>,
    /// Whether the second factor was shown in this session.
    pub mfa: bool,
    /// When password and second factor were last shown.
    pub reauthenticated_at: Option<Moment>,
    /// The initial password was not changed yet: nothing but that is allowed.
    pub must_change_password: bool,
}

text_enum! {
    /// What a bearer token may do. None of these touches an order.
    pub enum TokenScope {
        /// Read everything of the council.
        Read => "read",
        /// Report a loss, which locks.
        Report => "report",
        /// Lock a device.
        Lock => "lock",
        /// Keep the register, people and invitations.
        Register => "register",
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in operator.
    Operator(SignedIn),
    /// A bearer token of the API.
    Token {
        /// The token's id.
        id: TokenId,
        /// Its council.
        council: CouncilId,
        /// What it may do.
        scopes: Vec<TokenScope>,
    },
    /// Someone with access to the data folder, through the control socket, who has not signed in.
    Local,
    /// An enrolled device.
    Device {
        /// The council.
        council: CouncilId,
        /// The device.
        device: DeviceId,
        /// Its enrolment.
        enrolment: EnrolmentId,
    },
    /// Whoever holds an invitation's link.
    Invitee {
        /// The council.
        council: CouncilId,
        /// The invitation.
        invitation: InvitationId,
    },
    /// Whoever has the code on a holder's card: he reports that one item lost, and nothing else.
    Holder {
        /// The council.
        council: CouncilId,
        /// The item.
        asset: AssetId,
        /// While he holds it.
        custody: String,
    },
    /// The server's own jobs.
    System,
}

/// What may be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Read what the council has.
    Read,
    /// Report a loss; lock.
    Report,
    /// Lock without a loss.
    Lock,
    /// Keep the register: people, assets, invitations, confirmations.
    Register,
    /// Change the policy, push certificate and other settings of the council.
    Settings,
    /// Clear a forgotten PIN: opens the phone, so it needs re-authentication.
    ClearPasscode,
    /// Ask for an order.
    RequestOrder,
    /// Approve an order (role only; standing is checked with the order).
    ApproveOrder,
    /// Cancel an order; mark found; close a case.
    CancelOrder,
    /// Add and end operators of the council, issue tokens, name approvers.
    Operators,
    /// Create councils; whole-installation settings.
    Installation,
}

impl Actor {
    /// A short text that names the actor for ever; stored in rows.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Operator(signed_in) => format!("operator:{}", signed_in.operator),
            Self::Token { id, .. } => format!("token:{id}"),
            Self::Local => "local".to_owned(),
            Self::Device { enrolment, .. } => format!("device:{enrolment}"),
            Self::Invitee { invitation, .. } => format!("invitee:{invitation}"),
            Self::Holder { custody, .. } => format!("holder:{custody}"),
            Self::System => "system".to_owned(),
        }
    }

    /// The signed-in operator, if it is one.
    #[must_use]
    pub fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::Operator(signed_in) => Some(signed_in),
            _ => None,
        }
    }

    /// Whether this actor belongs to `council` or to all of them.
    #[must_use]
    pub fn sees(&self, council: &CouncilId) -> bool {
        match self {
            Self::Operator(signed_in) => signed_in.council.as_ref().is_none_or(|own| own == council),
            Self::Token { council: own, .. }
            | Self::Device { council: own, .. }
            | Self::Invitee { council: own, .. }
            | Self::Holder { council: own, .. } => own == council,
            Self::Local | Self::System => true,
        }
    }

    /// Refuses unless this actor may do `permission` in `council`. A stranger is told that there is no such council.
    pub fn require(&self, permission: Permission, council: &CouncilId) -> Result<()> {
        if !self.sees(council) {
            return Err(Error::NotFound("council"));
        }
        self.allowed(permission)
    }

    /// Refuses whoever may speak of one item only, if it is another.
    pub fn require_own(&self, asset: &AssetId) -> Result<()> {
        match self {
            Self::Holder { asset: own, .. } if own != asset => Err(Error::NotFound("asset")),
            _ => Ok(()),
        }
    }

    /// Refuses unless this actor may do `permission` for the whole installation.
    pub fn require_installation(&self, permission: Permission) -> Result<()> {
        match self {
            Self::Operator(signed_in) if signed_in.council.is_some() => {
                Err(Error::forbidden("only the provider may do this"))
            }
            Self::Operator(_) | Self::Local | Self::System => self.allowed(permission),
            _ => Err(Error::forbidden("only the provider may do this")),
        }
    }

    /// Refuses unless this actor may do `permission` in whichever councils he sees.
    pub fn require_somewhere(&self, permission: Permission) -> Result<()> {
        self.allowed(permission)
    }

    fn allowed(&self, permission: Permission) -> Result<()> {
        use Permission as P;
        let allowed = match self {
            Self::System => !matches!(permission, P::RequestOrder | P::ApproveOrder),
            // Access to the files never suffices for an order, nor for opening a phone.
            Self::Local => !matches!(permission, P::RequestOrder | P::ApproveOrder | P::CancelOrder | P::ClearPasscode),
            Self::Device { .. } | Self::Invitee { .. } => false,
            // Which item, is for the report itself.
            Self::Holder { .. } => permission == P::Report,
            Self::Token { scopes, .. } => match permission {
                P::Read => scopes.contains(&TokenScope::Read),
                P::Report => scopes.contains(&TokenScope::Report),
                P::Lock => scopes.contains(&TokenScope::Lock),
                P::Register => scopes.contains(&TokenScope::Register),
                _ => false,
            },
            Self::Operator(signed_in) => {
                if signed_in.must_change_password {
                    return Err(Error::forbidden("change your initial password first"));
                }
                if !signed_in.mfa {
                    return Err(Error::forbidden("sign in with your second factor first"));
                }
                match (signed_in.role, permission) {
                    (_, P::Read) => true,
                    (Role::Auditor, _) => false,
                    (_, P::Report | P::Lock | P::CancelOrder) => true,
                    // Whether a clerk or provider was named as approver is checked with the order.
                    (_, P::ApproveOrder) => true,
                    (Role::Approver, _) => false,
                    (Role::Clerk, P::Installation) => false,
                    (Role::Clerk | Role::Provider, _) => true,
                }
            }
        };
        if allowed { Ok(()) } else { Err(Error::forbidden("your role does not allow this")) }
    }

    /// The signed-in operator who showed password and second factor within the last five minutes, or a refusal.
    pub fn require_fresh(&self, now: Moment) -> Result<&SignedIn> {
        let signed_in = self
            .signed_in()
            .ok_or_else(|| Error::forbidden("this needs a person signed in with a second factor; no token will do"))?;
        if !signed_in.mfa {
            return Err(Error::forbidden("sign in with your second factor first"));
        }
        match signed_in.reauthenticated_at {
            Some(at) if at <= now && now - at <= REAUTHENTICATION => Ok(signed_in),
            _ => Err(Error::forbidden(CONFIRM_FIRST)),
        }
    }
}
