//! Stand-ins for Google: the cloud that a server talks to (token endpoint, Android Management API, Pub/Sub), and Android phones
//! in three modes that hang on it.
//!
//! Google's discovery document is the arbiter of names, types and enumerations (`data/android-management.json` is our table of it);
//! the rules its descriptions state in words are coded beside the call they belong to. What Google does not document is decided here
//! to be whatever catches a careless server, and said where it is decided.

pub mod cloud;
#[cfg(feature = "judge")]
pub mod judge;
pub mod phone;
pub mod schema;

pub use cloud::GoogleCloud;
pub use phone::AndroidPhone;
