//! What the journeys share: the real server on each database, with its surroundings, from start to end.

pub mod android_fleet;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use beadle_server::config::Config;
use beadle_server::demo::{Council, Town};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

/// How long anything that must happen may take.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// The databases that every story is told on: SQLite, and PostgreSQL when `TEST_DATABASE_URL` names a server. Where SQLite has had
/// its turn already, as in CI, `TEST_POSTGRES_ONLY` says so.
///
/// # Panics
/// When `TEST_SKIP_NOTHING` or `TEST_POSTGRES_ONLY` is set and PostgreSQL would be left out.
pub fn databases() -> Vec<Place> {
    // Each town has people with passwords; hashing those for real took three quarters of all journeys' time. It is done for
    // real by the server's own tests, the demo and the kill loop.
    beadle_server::operations::passwords::hash_cheaply();
    let only = std::env::var_os("TEST_POSTGRES_ONLY").is_some();
    let mut places = if only { Vec::new() } else { vec![Place(None)] };
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => places.push(Place(Some(Schema::create(&url)))),
        Err(_) => {
            assert!(
                !only && std::env::var_os("TEST_SKIP_NOTHING").is_none(),
                "TEST_DATABASE_URL is not set, and nothing may be left out here"
            );
            eprintln!("left out: PostgreSQL, since TEST_DATABASE_URL is not set");
        }
    }
    places
}

/// Where a town keeps its data: in a file of its own, or in a schema of its own that goes with this.
pub struct Place(Option<Schema>);

impl Place {
    /// The setting `database.url`; none for SQLite in the data folder.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.0.as_ref().map(Schema::own_url)
    }
}

/// Runs a story in a town on each of the [`databases`].
///
/// # Panics
/// When the town cannot be built or does not end in order.
pub async fn on_both(story: impl AsyncFn(&Town)) {
    for place in databases() {
        let folder = tempfile::tempdir().expect("a folder");
        let change = |config: &mut Config| config.database.url = place.url();
        let mut town = Town::start(folder.path(), change).await.expect("the town starts");
        story(&town).await;
        if let Some(server) = town.server.take() {
            server.stop().await.expect("the server stops in order");
        }
        // No story may send Google what its discovery document does not know, whatever else it is about.
        assert_eq!(town.google.judgement().refused, Vec::<String>::new());
    }
}

/// Lets time pass, and signs the council's people in again, whose sessions have run out by then.
///
/// # Panics
/// When they cannot sign in.
pub async fn wait_for_hours(town: &Town, council: &mut Council, hours: i64) {
    town.clock.advance(chrono::Duration::hours(hours));
    council.clerk.sign_in(&town.api).await.expect("the clerk signs in again");
    council.chair.sign_in(&town.api).await.expect("the chair signs in again");
}

struct Schema {
    url: String,
    name: String,
}

impl Schema {
    fn create(url: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_nanos();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = Self { url: url.to_owned(), name: format!("journey_{}_{since}_{number}", std::process::id()) };
        schema.run(&format!("CREATE SCHEMA \"{}\"", schema.name)).expect("a schema of its own");
        schema
    }

    fn own_url(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.url, self.name)
    }

    fn run(&self, sql: &str) -> Result<(), String> {
        let mut connection = PgConnection::establish(&self.url).map_err(|problem| problem.to_string())?;
        connection.batch_execute(sql).map_err(|problem| problem.to_string())
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Err(problem) = self.run(&format!("DROP SCHEMA \"{}\" CASCADE", self.name)) {
            eprintln!("the schema {} stays behind: {problem}", self.name);
        }
    }
}
