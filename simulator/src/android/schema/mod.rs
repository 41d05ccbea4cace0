//! Checks what a server sends to the Android Management API against Google's discovery document, because Google refuses a whole
//! body for one unknown name, and no real project is at hand in a test.
//!
//! The names, types and enumerations stand in `data/android-management.json`; the test `schema_table_matches_googles_document` makes
//! and compares it. The rules that the document states only in words stand in `rules`.

mod check;
mod mask;
mod rules;
#[cfg(test)]
mod source;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use check::seconds as duration_seconds;
pub use check::{Finding, check_body, check_query, without_defaults};
pub use mask::{Mask, apply_mask};
pub(crate) use rules::WIPE_REASON;
pub use rules::{command_rules, enrolment_token_rules, enterprise_rules, policy_rules};
pub use table::{Field, Kind, Method, TABLE, Table};
