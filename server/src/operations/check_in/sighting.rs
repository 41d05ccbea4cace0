//! A visit that changed nothing but what is known of the phone's visits: written down a moment later, with many others.

use crate::error::Result;
use crate::model::{CommandId, CouncilId, DeviceId, EnrolmentId, Moment};
use crate::operations::{Context, audit, losses};
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// What a visit leaves to be written down. Losing it costs little: the phone is seen again, and the question is asked again under
/// the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The council.
    pub council: CouncilId,
    /// Whose phone.
    pub enrolment: EnrolmentId,
    /// The phone.
    pub device: DeviceId,
    /// When it was seen, where that is to be noted.
    pub seen_at: Option<Moment>,
    /// The question that it was given last, and when.
    pub given: Option<(CommandId, Moment)>,
}

impl Sighting {
    /// Of this phone, with nothing in it yet.
    #[must_use]
    pub fn of(enrolment: &Enrolment) -> Self {
        Self {
            council: enrolment.council_id.clone(),
            enrolment: enrolment.id.clone(),
            device: enrolment.device_id.clone(),
            seen_at: None,
            given: None,
        }
    }

    /// Takes in what a later visit of the same phone left.
    pub(crate) fn merge(&mut self, later: Self) {
        self.seen_at = later.seen_at.or(self.seen_at);
        self.given = later.given.or_else(|| self.given.take());
    }
}

/// Writes down what visits to one council left; what was answered or ended in the meantime stays as it is. Gives those of phones
/// that were found and are to be heard from, for [`note_contact`].
pub fn note(tx: &mut Transaction<'_>, council: &CouncilId, sightings: &[Sighting]) -> Result<Vec<Sighting>> {
    audit::lock(tx, council)?;
    let seen = |sighting: &Sighting| Some((sighting.enrolment.clone(), sighting.seen_at?));
    store::enrolments::touch_all(tx, council, &sightings.iter().filter_map(seen).collect::<Vec<_>>())?;
    for (command, at) in sightings.iter().filter_map(|sighting| sighting.given.as_ref()) {
        store::commands::mark_given(tx, council, command, *at)?;
    }
    let awaited = store::cases::awaited_devices(tx, council)?;
    Ok(sightings.iter().filter(|sighting| awaited.contains(&sighting.device)).cloned().collect())
}

/// A phone that was found was heard from; a visit before it was found, or of an enrolment that has ended, says nothing.
pub fn note_contact(tx: &mut Transaction<'_>, context: &Context, sighting: &Sighting) -> Result<()> {
    let at = sighting.seen_at.max(sighting.given.as_ref().map(|(_, at)| *at));
    let enrolment = store::enrolments::find(tx, &sighting.council, &sighting.enrolment)?;
    match (at, enrolment.filter(|enrolment| enrolment.ended_at.is_none())) {
        (Some(at), Some(enrolment)) => {
            losses::on_contact_at(tx, &super::as_device(context, &enrolment), &enrolment, at)
        }
        _ => Ok(()),
    }
}
