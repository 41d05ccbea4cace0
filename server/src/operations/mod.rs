//! What the product does, one file per thing; each function runs inside one transaction and knows no HTTP, no network
//! and no property lists.

pub mod accounts;
pub mod alerts;
pub mod android;
#[cfg(test)]
pub(crate) mod apple_test_bench;
pub mod assets;
pub mod attention;
pub mod audit;
pub mod break_glass;
pub mod caps;
pub mod cases;
pub mod check_in;
pub mod commands;
pub mod councils;
pub mod devices;
pub mod enroll;
pub mod enrolments;
pub(crate) mod entry;
pub mod faults;
pub mod getting_started;
pub(crate) mod hands;
pub mod holds;
pub mod idempotency;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod leavers;
pub mod losses;
pub mod mail;
pub mod one_operator;
pub mod operators;
#[cfg(test)]
pub(crate) mod operators_tests;
pub mod orders;
pub mod own_phone;
pub mod passkeys;
pub mod passwords;
pub mod people;
pub mod policies;
pub mod push_certificates;
pub mod quarantine;
pub(crate) mod register;
pub mod report_codes;
pub mod reports;
pub mod retention;
pub mod second_factor;
pub mod sign_in;
pub mod sign_in_limits;
pub mod standing;
pub mod tokens;
mod trail;

use std::sync::Arc;

use crate::keys::Keys;
use crate::model::{Actor, Moment};

/// What every operation is given: who asks, when, and the keys.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who asks.
    pub actor: Actor,
    /// When; read once, so that all rows of one operation bear the same time.
    pub now: Moment,
    /// The installation's keys.
    pub keys: Arc<Keys>,
}
