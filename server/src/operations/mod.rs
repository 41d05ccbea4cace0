//! What the product does, one file per thing; each function runs inside one transaction and knows no HTTP, no network
//! and no property lists.

pub mod alerts;
#[cfg(test)]
pub(crate) mod apple_bench;
pub mod audit;
pub mod caps;
pub mod cases;
pub mod check_in;
pub mod commands;
pub mod devices;
pub mod enroll;
pub mod councils;
pub mod idempotency;
pub mod installation;
pub mod holds;
pub mod jobs;
pub mod leavers;
pub mod losses;
pub mod operators;
pub mod orders;
pub mod policies;
pub mod quarantine;
pub mod reports;
pub mod sign_in;
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
