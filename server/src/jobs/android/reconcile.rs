//! Compares every device with what Google lists, by the clock: notifications can be lost, and Google does not tell when a holder
//! removes the work profile. A hundred devices cost one call.

use std::collections::BTreeSet;

use chrono::Duration;

use super::{Done, failed, is_disconnected, seen};
use crate::google;
use crate::jobs::{Bench, again};
use crate::operations::android::pace::Urgency;
use crate::operations::android::{health, observe};
use crate::operations::{jobs as queue, orders};
use crate::platform::android::GoogleClient;
use crate::store::google_enterprises::Enterprise;
use crate::{operations, store};

/// How often each council's devices are compared.
const EVERY: Duration = Duration::hours(6);
/// How often it is looked whose turn it is.
const LOOK: Duration = Duration::minutes(15);
/// An operation that Google was not asked about for so long is asked about, in case that its notification was lost.
const UNCHECKED: Duration = Duration::minutes(30);
const PAGE: i64 = 100;

pub(in crate::jobs) async fn reconcile(bench: &Bench) -> Done {
    let now = bench.context().now;
    // A key that was replaced leaves every enterprise as it was, but topic and subscription are to be made sure of again.
    let project = bench.app.database.read("google project", store::google_projects::find).await?;
    let mut notifications_ready = project.is_none_or(|project| project.notifications_ready);
    let mut after = String::new();
    let mut failure = None;
    loop {
        let from = after.clone();
        let page = bench
            .app
            .database
            .read("enterprises", move |tx| store::google_enterprises::connected(tx, &from, PAGE))
            .await?;
        let Some(last) = page.last() else { break };
        after = last.council_id.to_string();
        for enterprise in page {
            if !enterprise.notifications_on || !notifications_ready {
                match google::notify(&bench.app, &enterprise).await {
                    Ok(()) => notifications_ready = true,
                    Err(problem) => {
                        tracing::warn!(%problem, "notifications of an enterprise could not be switched on");
                    }
                }
            }
            let council = enterprise.council_id.clone();
            let refused = bench.app.database.read("a refused key", move |tx| health::is_refused(tx, &council)).await?;
            if (refused || enterprise.reconciled_at.is_none_or(|at| now - at >= EVERY))
                && let Err(mut problem) = one(bench, &enterprise).await
            {
                // What is wrong with one council's enterprise must not keep the others' from being compared.
                tell(bench, &enterprise, problem.key_refused.take()).await?;
                if problem.after.is_some() {
                    return Err(problem);
                }
                failure = Some(problem);
            }
        }
    }
    unchecked(bench).await?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(again(now, LOOK)),
    }
}

/// The key was refused for what was asked of one council, which says nothing about the others.
async fn tell(
    bench: &Bench,
    enterprise: &Enterprise,
    key_refused: Option<String>,
) -> Result<(), crate::jobs::outcome::Failure> {
    let Some(message) = key_refused else { return Ok(()) };
    let (context, council) = (bench.context(), enterprise.council_id.clone());
    bench
        .app
        .database
        .write("the key is refused", move |tx| health::key_refused(tx, &context, &council, &message))
        .await?;
    Ok(())
}

async fn one(bench: &Bench, enterprise: &Enterprise) -> Result<(), crate::jobs::outcome::Failure> {
    let client = match google::client(&bench.app, Urgency::Usual).await {
        Ok(client) => client,
        Err(problem) if is_disconnected(&problem) => return Ok(()),
        Err(problem) => return Err(problem.into()),
    };
    let began = bench.context().now;
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let mut page: Option<String> = None;
    loop {
        let context = bench.context();
        let asked_at = context.now;
        let answer = match client.list_devices(&enterprise.name, page.as_deref()).await {
            Ok(answer) => answer,
            // One failed list never means that an enterprise, or a device, is gone.
            Err(failure) => return Err(failed(&bench.app, failure).await),
        };
        let devices: Vec<operations::android::Seen> = answer.devices.into_iter().map(seen).collect();
        let council = enterprise.council_id.clone();
        listed.extend(devices.iter().map(|device| device.name.clone()));
        bench
            .app
            .database
            .write("devices were listed", move |tx| {
                health::works(tx, &context, &council)?;
                for device in &devices {
                    observe::observe(tx, &context, device, asked_at)?;
                }
                Ok(())
            })
            .await?;
        match answer.next {
            Some(next) => page = Some(next),
            None => break,
        }
    }
    forget(bench, &client, enterprise, &listed).await?;
    missing(bench, enterprise, listed, began).await
}

/// Tidies away the records of phones whose wipe is confirmed, should Google still list them.
async fn forget(
    bench: &Bench,
    client: &GoogleClient,
    enterprise: &Enterprise,
    listed: &BTreeSet<String>,
) -> Result<(), crate::jobs::outcome::Failure> {
    let council = enterprise.council_id.clone();
    let wiped = bench
        .app
        .database
        .read("wiped phones", move |tx| store::android_enrolments::wiped_and_not_forgotten(tx, &council))
        .await?;
    for name in wiped.iter().filter(|name| listed.contains(*name)) {
        let (context, device) = (bench.context(), name.clone());
        let wiped = bench
            .app
            .database
            .write("a record to tidy away", move |tx| orders::to_forget(tx, &context, &device))
            .await?;
        let Some((order, release)) = wiped else { continue };
        if let Err(failure) = client.delete_device(&release, name).await {
            return Err(failed(&bench.app, failure).await);
        }
        let context = bench.context();
        bench.app.database.write("a record is gone", move |tx| orders::forgotten(tx, &context, &order)).await?;
    }
    Ok(())
}

/// Devices that Beadle has and the list has not are asked for by name, each by the job that sends: only its 404 counts.
async fn missing(
    bench: &Bench,
    enterprise: &Enterprise,
    listed: BTreeSet<String>,
    began: crate::model::Moment,
) -> Result<(), crate::jobs::outcome::Failure> {
    let (context, row) = (bench.context(), enterprise.clone());
    bench
        .app
        .database
        .write("devices were compared", move |tx| {
            let mut after = String::new();
            loop {
                let page = store::android_enrolments::live_page(tx, &row.council_id, &after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = last.enrolment_id.to_string();
                for device in page.iter().filter(|device| !listed.contains(&device.device_name)) {
                    queue::wake_with_hint(tx, &context, &device.council_id, &device.enrolment_id)?;
                }
            }
            store::google_enterprises::set_reconciled(tx, &row, began)
        })
        .await?;
    Ok(())
}

async fn unchecked(bench: &Bench) -> Result<(), crate::jobs::outcome::Failure> {
    let context = bench.context();
    bench
        .app
        .database
        .write("operations to ask about", move |tx| {
            for operation in store::google_operations::unchecked_since(tx, context.now - UNCHECKED, PAGE)? {
                queue::wake(tx, &context, &operation.council_id, &operation.enrolment_id)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}
