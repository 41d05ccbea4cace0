//! What visits of phones leave to be written down, until it is: one write every second instead of one for each visit.
//!
//! Nothing waits for it and nothing rests on it. A server that is killed loses a second of it: when a phone was seen, which it will be
//! again, and that it was given a question, which it answers or is asked once more under the same id.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::error::Result;
use crate::model::{Actor, CommandId, CouncilId, EnrolmentId, Moment};
use crate::operations::check_in::{self, Sighting};
use crate::store::Transaction;
use crate::store::enrolments::Enrolment;

/// How often it is written down while the server runs.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many one transaction writes: it holds the council's lock for so long.
const AT_ONCE: usize = 500;
/// How many transactions are under way together.
const TOGETHER: usize = 4;

/// One entry for each phone that visited since it was last written down.
type Waiting = BTreeMap<(CouncilId, EnrolmentId), Sighting>;

/// The book of visits.
#[derive(Debug, Default)]
pub struct Sightings(Mutex<Waiting>);

impl Sightings {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Whoever panicked in between left each entry whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, sighting: Sighting) {
        self.put(sighting, Sighting::merge);
    }

    /// It could not be written; what came since is later.
    fn put_back(&self, sighting: Sighting) {
        self.put(sighting, |later, mut earlier| {
            earlier.merge(later.clone());
            *later = earlier;
        });
    }

    fn put(&self, sighting: Sighting, join: impl FnOnce(&mut Sighting, Sighting)) {
        match self.waiting().entry((sighting.council.clone(), sighting.enrolment.clone())) {
            Entry::Vacant(place) => {
                place.insert(sighting);
            }
            Entry::Occupied(mut known) => join(known.get_mut(), sighting),
        }
    }

    /// The phone was seen.
    pub fn seen(&self, enrolment: &Enrolment, at: Moment) {
        self.add(Sighting { seen_at: Some(at), ..Sighting::of(enrolment) });
    }

    /// The phone was given a question.
    pub fn given(&self, enrolment: &Enrolment, question: CommandId, at: Moment) {
        self.add(Sighting { given: Some((question, at)), ..Sighting::of(enrolment) });
    }

    /// The phone answered: the transaction that took the answer in says more than that the question was given.
    pub fn answered(&self, enrolment: &Enrolment, question: &CommandId) {
        let key = (enrolment.council_id.clone(), enrolment.id.clone());
        let mut waiting = self.waiting();
        if let Some(sighting) = waiting.get_mut(&key)
            && sighting.given.as_ref().is_some_and(|(given, _)| given == question)
        {
            sighting.given = None;
            if sighting.seen_at.is_none() {
                waiting.remove(&key);
            }
        }
    }
}

/// Writes down what waits, every second and once more at the end.
#[derive(Debug)]
pub(crate) struct Noting {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Noting {
    pub(crate) fn start(app: App) -> Self {
        let (end, mut ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut more = true;
            while more {
                // Also when whoever holds the other side is gone.
                more = tokio::time::timeout(INTERVAL, &mut ended).await.is_err();
                if let Err(problem) = write(&app).await {
                    tracing::warn!(%problem, "visits of phones are not written down yet");
                }
            }
        });
        Self { end, task }
    }

    /// Writes down the last, and ends.
    pub(crate) async fn stop(self) {
        drop(self.end);
        if let Err(problem) = self.task.await {
            tracing::error!(%problem, "the visits of phones were not written down to the end");
        }
    }
}

/// Writes down what waits.
///
/// # Errors
/// When the database cannot be written; what is not written waits on.
pub async fn write(app: &App) -> Result<()> {
    let waiting = std::mem::take(&mut *app.sightings.waiting());
    let mut councils: BTreeMap<CouncilId, Vec<Sighting>> = BTreeMap::new();
    for ((council, _), sighting) in waiting {
        councils.entry(council).or_default().push(sighting);
    }
    let parts = councils.iter().flat_map(|(council, all)| all.chunks(AT_ONCE).map(move |part| (council, part)));
    let writes: Vec<_> = parts.map(|(council, part)| write_part(app, council.clone(), part.to_vec())).collect();
    // Not all at once, which would take every connection of the pool; not one by one, so that one commit serves several.
    let outcomes: Vec<Result<()>> = stream::iter(writes).buffer_unordered(TOGETHER).collect().await;
    outcomes.into_iter().collect()
}

async fn write_part(app: &App, council: CouncilId, part: Vec<Sighting>) -> Result<()> {
    let sightings = part.clone();
    let note = move |tx: &mut Transaction<'_>| check_in::note(tx, &council, &sightings);
    let awaited = match app.database.write("sightings", note).await {
        Ok(awaited) => awaited,
        Err(problem) => {
            part.into_iter().for_each(|sighting| app.sightings.put_back(sighting));
            return Err(problem);
        }
    };
    // Each by itself: a case that cannot be written must not hold up what else was seen. Its phone's next visit tries again.
    for sighting in awaited {
        let context = app.context(Actor::System);
        let note = move |tx: &mut Transaction<'_>| check_in::note_contact(tx, &context, &sighting);
        if let Err(problem) = app.database.write("contact of a found phone", note).await {
            tracing::error!(%problem, "a phone that was found called, and its case could not be written");
        }
    }
    Ok(())
}
