//! The nouns of the product and their pure rules; nothing here touches a database or a network.

mod id;
mod moment;
mod states;
mod text_enum;

pub use id::*;
pub use moment::Moment;
pub use states::*;
