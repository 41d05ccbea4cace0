//! The nouns of the product and their pure rules; nothing here touches a database or a network.

mod actor;
mod id;
mod moment;
mod order;
mod states;
mod text_enum;

pub use actor::{Actor, Permission, REAUTHENTICATION, SignedIn, TokenScope};
pub use id::*;
pub use moment::Moment;
pub use order::Release;
pub use states::*;
