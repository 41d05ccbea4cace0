//! A visit that changed nothing but what is known of the phone's visits: written down a moment later, with many others.

use crate::error::Result;
use crate::model::{CommandId, CouncilId, DeviceId, EnrolmentId, Moment};
use crate::operations::{Context, audit, losses};
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// What a visit leaves to be written down. Losing it costs nothing: the phone is seen again, and the question is asked again under
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

/// Writes down what visits to one council left. What was answered or ended in the meantime stays as it is.
pub fn note(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, sightings: &[Sighting]) -> Result<()> {
    audit::lock(tx, council)?;
    let seen = |sighting: &Sighting| Some((sighting.enrolment.clone(), sighting.seen_at?));
    store::enrolments::touch_all(tx, council, &sightings.iter().filter_map(seen).collect::<Vec<_>>())?;
    for (command, at) in sightings.iter().filter_map(|sighting| sighting.given.as_ref()) {
        store::commands::mark_given(tx, council, command, *at)?;
    }
    for device in store::cases::awaited_devices(tx, council)? {
        if let Some(sighting) = sightings.iter().find(|sighting| sighting.device == device)
            && let Some(enrolment) = store::enrolments::find(tx, council, &sighting.enrolment)?
        {
            let context = super::as_device(context, &enrolment);
            losses::on_contact(tx, &context, &enrolment)?;
        }
    }
    Ok(())
}
