//! Does at Google what waits for one phone, step by step: each step is decided and written down in one transaction, done, and its
//! result written down in another. A crash between the two is found at the next run.

use serde_json::Value;

use super::{Done, failed, is_disconnected, seen};
use crate::error::{Error, Result};
use crate::google;
use crate::jobs::Bench;
use crate::jobs::outcome::{Failure, Next};
use crate::model::{Moment, Posture};
use crate::operations::android::dispatch::{self, Phone, Step};
use crate::operations::android::outcome::{self, Standing};
use crate::operations::android::pace::Urgency;
use crate::operations::android::{gone, observe};
use crate::operations::jobs::Wake;
use crate::platform::android::message::{Operation, Outcome};
use crate::platform::android::{Failure as GoogleFailure, GoogleClient};
use crate::platform::{self, Unsupported, Wire};
use crate::store::google_operations::GoogleOperation;

/// How many steps one run makes at the most; what is left waits for the next.
const STEPS: usize = 50;
/// How much earlier than we called Google's clock may say that an operation began.
const SKEW: chrono::Duration = chrono::Duration::minutes(5);

pub(in crate::jobs) async fn send(bench: &Bench, wake: &Wake) -> Done {
    let client = match google::client(&bench.app, Urgency::Urgent).await {
        Ok(client) => client,
        Err(problem) if is_disconnected(&problem) => return Ok(Next::Done),
        Err(problem) => return Err(problem.into()),
    };
    // What the hint was about is one of perhaps several operations under way: each is asked about once.
    let hint = wake.hint.then(|| bench.context().now);
    let mut asked = false;
    for _ in 0..STEPS {
        let (context, of, told) = (bench.context(), wake.clone(), hint);
        let step = bench
            .app
            .database
            .write("what is next at Google", move |tx| dispatch::next(tx, &context, &of.council, &of.enrolment, told))
            .await?;
        match step {
            Step::Rest(at) => {
                if hint.is_some() && !asked {
                    // Nothing is under way: now the phone's own state is what the hint may have been about.
                    look_at(bench, &client, wake).await?;
                }
                return rest(wake, at);
            }
            other => {
                asked |= matches!(other, Step::Check(..));
                do_step(bench, &client, other).await?;
            }
        }
    }
    rest(wake, Some(bench.context().now))
}

fn rest(wake: &Wake, at: Option<Moment>) -> Done {
    Ok(match at {
        None => Next::Done,
        Some(at) => {
            let wake = Wake { hint: false, ..wake.clone() };
            Next::Again { at, payload: serde_json::to_string(&wake).map_err(Error::from)? }
        }
    })
}

async fn do_step(bench: &Bench, client: &GoogleClient, step: Step) -> Result<(), Failure> {
    match step {
        Step::Rest(_) => Ok(()),
        Step::Look(phone, operation) => look(bench, client, phone, operation).await,
        Step::Call(phone, operation, row) => {
            let payload: Value = serde_json::from_str(&row.payload).map_err(Error::from)?;
            let command = platform::Command { id: &row.id, kind: row.kind, payload: &payload, data: None };
            let (platform, mode, ownership) =
                (phone.enrolment.platform, phone.enrolment.mode, phone.enrolment.ownership);
            let wire = platform::encode(platform, mode, ownership, &command);
            call(bench, client, phone, operation, wire).await
        }
        Step::Order(phone, operation, release) => {
            let wire = platform::encode_order(phone.enrolment.platform, &release);
            call(bench, client, phone, operation, wire).await
        }
        Step::Check(phone, operation) => check(bench, client, phone, operation).await,
        Step::Cancel(phone, operation) => cancel(bench, client, phone, operation).await,
        Step::Move(phone, posture, name) => move_to(bench, client, phone, posture, name).await,
    }
}

async fn call(
    bench: &Bench,
    client: &GoogleClient,
    phone: Phone,
    operation: GoogleOperation,
    wire: Result<Wire, Unsupported>,
) -> Result<(), Failure> {
    let context = bench.context();
    let message = match wire {
        Ok(Wire::Android(message)) => message,
        Ok(Wire::Apple(_)) => return Err(Error::internal("a message for an iPhone has no place at Google").into()),
        Err(Unsupported(problem)) => {
            return Ok(bench
                .app
                .database
                .write("command not made", move |tx| {
                    outcome::refused(tx, &context, &phone, &operation, &format!("it cannot be sent: {problem}"))
                })
                .await?);
        }
    };
    match client.issue_command(&phone.android.device_name, &message).await {
        Ok(begun) => issued(bench, operation, begun).await,
        Err(GoogleFailure::Refused { message, .. }) => Ok(bench
            .app
            .database
            .write("google refused", move |tx| {
                outcome::refused(tx, &context, &phone, &operation, &format!("Google refused it: {message}"))
            })
            .await?),
        Err(GoogleFailure::NotFound) => {
            not_made(bench, operation, "Google has no such device").await?;
            disappeared(bench, client, phone).await
        }
        // Its row stays as it is, and the next run looks whether Google had it: also after a 503, behind which it may have been
        // done all the same.
        Err(failure) => Err(failed(&bench.app, failure).await),
    }
}

async fn issued(bench: &Bench, operation: GoogleOperation, begun: Operation) -> Result<(), Failure> {
    let context = bench.context();
    bench
        .app
        .database
        .write("google took it", move |tx| outcome::issued(tx, &context, &operation, &begun.name))
        .await?;
    Ok(())
}

async fn not_made(bench: &Bench, operation: GoogleOperation, why: &str) -> Result<(), Failure> {
    let (context, why) = (bench.context(), why.to_owned());
    bench
        .app
        .database
        .write("google did not take it", move |tx| outcome::not_made(tx, &context, &operation, &why))
        .await?;
    Ok(())
}

/// Looks for a call whose answer was lost: the newest operation of the same kind that began no earlier, and is nobody else's.
async fn look(bench: &Bench, client: &GoogleClient, phone: Phone, operation: GoogleOperation) -> Result<(), Failure> {
    let listed = match client.list_operations(&phone.android.device_name).await {
        Ok(listed) => listed,
        Err(GoogleFailure::NotFound) => {
            not_made(bench, operation, "Google has no such device").await?;
            return disappeared(bench, client, phone).await;
        }
        Err(failure) => return Err(failed(&bench.app, failure).await),
    };
    let since = operation.called_at - SKEW;
    let mut candidates: Vec<Operation> = listed
        .into_iter()
        .filter(|found| found.command.command_type.as_deref() == Some(operation.kind.as_str()))
        .filter(|found| found.command.created.is_none_or(|at| at >= since))
        .collect();
    candidates.sort_by_key(|found| found.command.created);
    let names: Vec<String> = candidates.iter().map(|found| found.name.clone()).collect();
    let taken = bench
        .app
        .database
        .read("operations that are known", move |tx| {
            names
                .into_iter()
                .filter_map(|name| match crate::store::google_operations::find_by_name(tx, &name) {
                    Ok(Some(_)) => Some(Ok(name)),
                    Ok(None) => None,
                    Err(problem) => Some(Err(problem)),
                })
                .collect::<Result<Vec<String>>>()
        })
        .await?;
    match candidates.into_iter().rfind(|found| !taken.contains(&found.name)) {
        Some(found) => issued(bench, operation, found).await,
        None => not_made(bench, operation, "Google never had it").await,
    }
}

async fn check(bench: &Bench, client: &GoogleClient, phone: Phone, operation: GoogleOperation) -> Result<(), Failure> {
    let name = operation.name.clone().unwrap_or_default();
    let standing = match client.get_operation(&name).await {
        Ok(found) => standing(found),
        Err(GoogleFailure::NotFound) => return unknown(bench, client, phone, operation).await,
        Err(failure) => return Err(failed(&bench.app, failure).await),
    };
    let context = bench.context();
    bench
        .app
        .database
        .write("an operation's end", move |tx| outcome::checked(tx, &context, &phone, &operation, &standing))
        .await?;
    Ok(())
}

fn standing(operation: Operation) -> Standing {
    match operation.outcome {
        Outcome::Pending => Standing::Pending,
        Outcome::Done { .. } => Standing::Done(operation.raw),
        Outcome::Failed { reason } => Standing::Failed(reason),
        Outcome::Cancelled => Standing::Cancelled,
        Outcome::Expired => Standing::Expired,
    }
}

/// Google has forgotten the operation: because the device is gone, or by itself; only then is the call made again.
async fn unknown(
    bench: &Bench,
    client: &GoogleClient,
    phone: Phone,
    operation: GoogleOperation,
) -> Result<(), Failure> {
    match client.get_device(&phone.android.device_name).await {
        Err(GoogleFailure::NotFound) => disappeared(bench, client, phone).await,
        Err(failure) => Err(failed(&bench.app, failure).await),
        Ok(_) => {
            let context = bench.context();
            bench
                .app
                .database
                .write("an operation is unknown", move |tx| {
                    outcome::checked(tx, &context, &phone, &operation, &Standing::Unknown)
                })
                .await?;
            Ok(())
        }
    }
}

async fn cancel(bench: &Bench, client: &GoogleClient, phone: Phone, operation: GoogleOperation) -> Result<(), Failure> {
    let name = operation.name.clone().unwrap_or_default();
    match client.cancel_operation(&name).await {
        Ok(()) | Err(GoogleFailure::Refused { .. } | GoogleFailure::NotFound) => {}
        Err(failure) => return Err(failed(&bench.app, failure).await),
    }
    let (context, row) = (bench.context(), operation.clone());
    bench.app.database.write("cancel asked", move |tx| outcome::cancel_sent(tx, &context, &row)).await?;
    // Whether it was in time is for the operation to say.
    check(bench, client, phone, operation).await
}

async fn move_to(
    bench: &Bench,
    client: &GoogleClient,
    phone: Phone,
    posture: Posture,
    name: String,
) -> Result<(), Failure> {
    // Google forgets a policy that no phone has had for a week: it is sent again just before it is needed.
    google::put_again(&bench.app, &phone.enrolment.council_id, phone.enrolment.mode, posture).await?;
    match client.patch_device_policy(&phone.android.device_name, &name).await {
        Ok(_) => {
            let context = bench.context();
            bench.app.database.write("another policy", move |tx| outcome::moved(tx, &context, &phone, posture)).await?;
            Ok(())
        }
        Err(GoogleFailure::NotFound) => disappeared(bench, client, phone).await,
        Err(failure) => Err(failed(&bench.app, failure).await),
    }
}

/// Google says that it has no such device: what is still under way is asked for once more, then the phone has left.
async fn disappeared(bench: &Bench, client: &GoogleClient, phone: Phone) -> Result<(), Failure> {
    let (council, id) = (phone.enrolment.council_id.clone(), phone.enrolment.id.clone());
    let open = bench
        .app
        .database
        .read("what is under way", move |tx| crate::store::google_operations::open_of_enrolment(tx, &council, &id))
        .await?;
    for operation in open.into_iter().filter(|operation| operation.name.is_some()) {
        match client.get_operation(operation.name.as_deref().unwrap_or_default()).await {
            Ok(found) => {
                let (context, phone, standing) = (bench.context(), phone.clone(), standing(found));
                bench
                    .app
                    .database
                    .write("an operation's end", move |tx| {
                        outcome::checked(tx, &context, &phone, &operation, &standing)
                    })
                    .await?;
            }
            Err(GoogleFailure::NotFound) => {}
            Err(failure) => return Err(failed(&bench.app, failure).await),
        }
    }
    let context = bench.context();
    bench
        .app
        .database
        .write("a phone is gone", move |tx| {
            gone::gone(tx, &context, &phone.enrolment, "Google no longer has this device")
        })
        .await?;
    Ok(())
}

/// Reads the phone itself.
async fn look_at(bench: &Bench, client: &GoogleClient, wake: &Wake) -> Result<(), Failure> {
    let of = wake.clone();
    let phone =
        bench.app.database.read("an Android phone", move |tx| dispatch::phone(tx, &of.council, &of.enrolment)).await?;
    let Some(phone) = phone else { return Ok(()) };
    let context = bench.context();
    let asked_at = context.now;
    match client.get_device(&phone.android.device_name).await {
        Ok(report) => {
            let seen = seen(report);
            bench
                .app
                .database
                .write("a device was read", move |tx| observe::observe(tx, &context, &seen, asked_at).map(drop))
                .await?;
            Ok(())
        }
        Err(GoogleFailure::NotFound) => disappeared(bench, client, phone).await,
        Err(failure) => Err(failed(&bench.app, failure).await),
    }
}
