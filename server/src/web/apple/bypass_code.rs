//! The code that opens a phone's Activation Lock, taken out of its answer and sealed before anything else sees the answer.

use zeroize::Zeroizing;

use crate::app::App;
use crate::error::Result;
use crate::model::CouncilId;
use crate::operations::check_in::{self, Identified};
use crate::operations::commands::{AnswerStatus, SealedCode, Visit};
use crate::platform::apple::message::{Report, Who};
use crate::sealing::Purpose;

/// The longest code that is believed; Apple's have some thirty characters.
const LONGEST: usize = 200;

/// Takes the code out of an answer, to whichever command it says to belong: in clear it goes no further.
pub(super) fn take(report: &mut Report) -> Option<Zeroizing<String>> {
    match report.body.as_object_mut()?.remove("ActivationLockBypassCode")? {
        serde_json::Value::String(code) => {
            let code = Zeroizing::new(code);
            let trimmed = code.trim();
            (!trimmed.is_empty() && trimmed.len() <= LONGEST).then(|| Zeroizing::new(trimmed.to_owned()))
        }
        _ => None,
    }
}

/// Seals the code for the device that answers, since a transaction is no place for encryption. One from nobody that may
/// speak here is dropped; the transaction refuses its sender.
pub(super) async fn seal_into(
    app: &App,
    council: &CouncilId,
    fingerprint: &str,
    who: &Who,
    visit: Visit,
    code: Option<Zeroizing<String>>,
) -> Result<Visit> {
    let (mut answer, code) = match (visit, code) {
        (Visit::Answers(answer), Some(code)) if answer.status == AnswerStatus::Acknowledged => (answer, code),
        (visit, _) => return Ok(visit),
    };
    let (asked, of, by) = (council.clone(), who.clone(), fingerprint.to_owned());
    let found = app.database.read("apple identity", move |tx| check_in::identify(tx, &asked, &by, of.id())).await?;
    if let Identified::Pinned(caller) | Identified::Renewed(caller, _) = found {
        let device = caller.enrolment.device_id;
        let sealed = app.keys.sealer.seal(Purpose::BypassCode, council.as_str(), device.as_str(), code.as_bytes())?;
        answer.bypass_code = Some(SealedCode { device, sealed });
    }
    Ok(Visit::Answers(answer))
}
