//! Everything SQL: row structs and one file of queries per table. Nothing outside this folder knows SQL.

pub mod alerts;
pub mod api_tokens;
pub mod assets;
pub mod authorities;
pub mod cap_changes;
pub mod cases;
pub mod certificates;
pub mod commands;
pub mod councils;
pub mod custody;
pub mod devices;
pub mod enrolments;
pub mod freezes;
pub mod idempotency_keys;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod legal_holds;
pub mod named_approvers;
pub mod operators;
pub mod order_caps;
pub mod orders;
pub mod people;
pub mod policies;
pub mod policy_secrets;
pub mod push_certificates;
pub mod quarantines;
pub mod recovery_codes;
pub mod reports;
pub mod scep_challenges;
pub mod sessions;
pub mod setting_states;
pub mod sign_in_limits;
pub mod audit;
mod connection;
mod dump;
#[cfg(test)]
mod connection_tests;
mod migrate;
mod postgres;
pub mod schema;
pub mod sealed;
mod sqlite;

pub use connection::{AnyConnection, Database, Transaction};
pub use dump::{Line, TABLES};
