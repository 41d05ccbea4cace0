//! What a council's phones should obey: the policy, what each kind of phone can do about it, and the profile that makes it so.
//!
//! Everything here is pure: no input or output, no clock, no randomness. The same policy always gives the same bytes.
//!
//! To add a passcode setting, add a field and a `Setting` entry to `policy/passcode.rs`; coverage, the Apple payload,
//! Google's policy, the command line, validation and the judgement of what a phone reports all follow from that one definition.

mod named;
mod setting;

pub mod android;
pub mod apple;
pub mod coverage;
pub mod mode;
pub mod policy;
pub mod report;

pub use apple::{Context, NamedCertificate};
pub use mode::{Mode, Ownership, Platform};
pub use named::UnknownName;
pub use policy::{Policy, Preset, Problem};
