//! Push topics: a device may name only one that a push certificate of its council serves.

use super::Outcome;
use crate::error::Result;
use crate::model::CouncilId;
use crate::operations::{Context, alerts};
use crate::store::{self, Transaction};

/// Refuses a topic that no certificate of the council serves: no push would ever reach the device under it.
///
/// `subject` is what the alert is about: the certificate's serial number, or the enrolment.
pub(super) fn check(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    topic: Option<&str>,
    subject: &str,
) -> Result<Option<Outcome>> {
    let Some(topic) = topic else { return Ok(None) };
    if store::push_certificates::serving(tx, council, topic)?.is_some() {
        alerts::end(tx, context, council, "topic_refused", subject)?;
        return Ok(None);
    }
    let shown: String = topic.chars().take(100).collect();
    let message = format!(
        "A phone was refused: it names the push topic {shown}, which no push certificate of this council serves, so it \
         could never be woken. See which certificates there are (apple push-status), and let the phone enrol again."
    );
    alerts::raise(tx, context, council, "topic_refused", subject, &message)?;
    Ok(Some(Outcome::Unfit("the push topic is none of the council's")))
}
