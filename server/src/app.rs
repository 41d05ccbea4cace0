//! What the web doors and the jobs share: the database, the keys, the clock and the settings.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::google::Kept;
use crate::keys::Keys;
use crate::model::Actor;
use crate::operations::Context;
use crate::sightings::Sightings;
use crate::store::Database;

/// The running server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub database: Database,
    /// The installation's keys.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// The way to Google, where a project is connected.
    pub google: Kept,
    /// What visits of phones leave to be written down.
    pub sightings: Arc<Sightings>,
}

impl App {
    /// What an operation is given when `actor` asks now.
    #[must_use]
    pub fn context(&self, actor: Actor) -> Context {
        Context { actor, now: self.clock.now(), keys: Arc::clone(&self.keys) }
    }
}
