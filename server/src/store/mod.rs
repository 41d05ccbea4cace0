//! Everything SQL: row structs and one file of queries per table. Nothing outside this folder knows SQL.

pub mod alerts;
pub mod android_enrolments;
pub mod android_policies;
pub mod android_tokens;
pub mod api_tokens;
pub mod assets;
pub mod audit;
pub mod authorities;
pub mod cap_changes;
pub mod cases;
pub mod certificates;
pub mod commands;
mod connection;
#[cfg(test)]
mod connection_tests;
pub mod councils;
pub mod custody;
pub mod devices;
mod dump;
pub mod enrolments;
pub mod freezes;
pub mod google_enterprises;
pub mod google_operations;
pub mod google_projects;
pub mod google_sign_ups;
pub mod idempotency_keys;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod legal_holds;
mod migrate;
pub mod named_approvers;
pub mod operators;
pub mod order_caps;
pub mod orders;
pub mod people;
#[cfg(test)]
mod plan_tests;
pub mod policies;
pub mod policy_secrets;
mod postgres;
pub mod push_certificates;
pub mod quarantines;
pub mod recovery_codes;
pub mod reports;
pub mod scep_challenges;
pub mod schema;
pub mod sealed;
pub mod sessions;
pub mod setting_states;
pub mod sign_in_limits;
mod sqlite;
pub mod wake;
mod written;

pub use connection::{AnyConnection, Database, Transaction};
pub use dump::{Line, TABLES};
