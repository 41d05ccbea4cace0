//! What is done at Google in the background: one file per job.

mod delete_tokens;
mod notifications;
mod policies;
mod read_device;
mod reconcile;
mod send;

pub(super) use delete_tokens::delete as delete_tokens;
pub(super) use notifications::pull;
pub(super) use policies::put;
pub(super) use read_device::run as read_device;
pub(super) use reconcile::reconcile;
pub(super) use send::send;

use beadle_enrollment::android::Binding;
use chrono::Duration;

use super::outcome::Failure;
use crate::app::App;
use crate::error::Result;
use crate::model::Moment;
use crate::operations::android::{Seen, pace};
use crate::platform::android::Failure as GoogleFailure;
use crate::platform::android::message::DeviceReport;
use crate::store::devices::Description;

/// How long everybody waits where Google says that there were too many calls, and not for how long.
const TOO_MANY: Duration = Duration::seconds(20);

/// What Google said of a device, in the words of the operations.
fn seen(report: DeviceReport) -> Seen {
    let mode = report.mode();
    let sim = report.sims.first();
    let product = match (&report.hardware.brand, &report.hardware.model) {
        (Some(brand), Some(model)) => Some(format!("{brand} {model}")),
        (brand, model) => brand.clone().or_else(|| model.clone()),
    };
    let description = Description {
        serial: report.hardware.serial_number.clone(),
        product,
        name: None,
        os_version: report.software.android_version.as_ref().map(|version| format!("Android {version}")),
        imei: report.imei.clone(),
        iccid: sim.and_then(|sim| sim.icc_id.clone()),
        phone_number: sim.and_then(|sim| sim.phone_number.clone()),
    };
    let heard = [report.last_status_report_time, report.last_policy_sync_time, report.enrollment_time];
    Seen {
        previous_names: report.previous_device_names.clone(),
        state: report.state.as_ref().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        applied_state: report.applied_state.as_ref().map(|state| state.as_str().to_owned()),
        mode,
        binding: report.enrollment_token_data.as_deref().and_then(Binding::parse).map(|it| it.as_str().to_owned()),
        applied: report.applied_policy_name.clone().zip(report.applied_policy_version),
        api_level: report.api_level,
        reported_at: heard.into_iter().flatten().max(),
        description,
        name: report.name,
        raw: report.raw,
    }
}

/// A failed call, as the end of a job; where Google said that there were too many, everybody slows down. Our own limiter's word
/// is none of Google's: whoever is turned away comes back, and nobody else waits longer for it.
async fn failed(app: &App, failure: GoogleFailure) -> Failure {
    let problem = failure.to_string();
    if let GoogleFailure::Paced { after } = &failure {
        let wait = Duration::from_std(*after).unwrap_or(TOO_MANY).min(Duration::minutes(10));
        return Failure { problem, after: Some(wait), key_refused: None };
    }
    if let GoogleFailure::KeyRefused { .. } = &failure {
        return Failure { key_refused: Some(problem.clone()), problem, after: None };
    }
    if let GoogleFailure::Again { after: Some(after), .. } = &failure {
        let wait = Duration::from_std(*after).unwrap_or(TOO_MANY).min(Duration::minutes(10));
        let until: Moment = app.clock.now() + wait;
        // Slowing down is a courtesy; the retry that follows is what counts.
        if let Err(problem) = app.database.write("hold back calls", move |tx| pace::hold_back(tx, until)).await {
            tracing::warn!(%problem, "the pace of calls to Google was not slowed down");
        }
        return Failure { problem, after: Some(wait), key_refused: None };
    }
    Failure { problem, after: None, key_refused: None }
}

/// Whether a job's wish for Google can be dropped because no project is connected any more.
fn is_disconnected(problem: &crate::error::Error) -> bool {
    matches!(problem, crate::error::Error::Conflict(_))
}

type Done = Result<super::outcome::Next, Failure>;
