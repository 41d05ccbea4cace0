//! The nouns of the product and their pure rules; nothing here touches a database or a network.

mod actor;
mod command;
mod hands;
mod id;
mod mail;
mod moment;
mod order;
mod order_seal;
mod order_states;
mod sight;
mod states;
mod text_enum;

pub use actor::{Actor, CONFIRM_FIRST, Permission, REAUTHENTICATION, SignedIn, TokenScope};
pub use hands::Hands;
pub use id::*;
pub use mail::MailSecurity;
pub use moment::Moment;
pub use order::{
    APPROVAL_WINDOW, COOLING_OFF, Circumstances, EnrolmentFacts, OrderFacts, Refusal, Release, forbidden_by_ownership,
};
pub(crate) use order_seal::Seal;
pub use order_states::OrderEvent;
pub use sight::{Sight, sight};
pub use states::*;
