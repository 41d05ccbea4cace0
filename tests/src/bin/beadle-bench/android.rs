//! What a fleet of Android phones costs: a policy for half of them, the comparison of all of them with Google, and reports that come
//! in a burst. Counts of calls come first: they are the same on any machine.

use std::time::{Duration, Instant};

use beadle_server::demo::{Council, Town, text, until};
use beadle_server::store::Database;
use beadle_simulator::android::AndroidPhone;
use beadle_simulator::android::phone::Living;
use beadle_tests::android_fleet::{busiest_hundred_seconds, multiply};
use serde_json::{Value, json};

use crate::account::Account;
use crate::seed;
use crate::table::{Table, Target};

/// How many phones report at once in the last measurement.
const BURST: usize = 400;
/// What Google counts a hundred seconds by, and how many calls it takes in them.
const QUOTA: f64 = 1000.0;
/// Both postures of the one mode in use.
const POLICY_CALLS: f64 = 2.0;

async fn council(town: &Town, slug: &str) -> (Council, Living) {
    let council = town.council(slug, "Bench Town Council", "germoe").await.expect("a council");
    town.connect_google(&council).await.expect("connected");
    let tag = format!("A-{slug}");
    let invited = town.invite_android(&council, &tag, "A Holder", "fully_managed").await.expect("invited");
    let phone = AndroidPhone::company(&tag);
    let living = phone.live();
    town.enrol_android(&council, &invited, &phone).await.expect("enrols");
    let patience = Duration::from_secs(120);
    let asset = until(&council.clerk.api, &format!("/assets/{}", invited.asset), patience, |asset| {
        asset.pointer("/device/id").is_some_and(Value::is_string)
    })
    .await
    .expect("Beadle hears of it");
    let settings = format!("/devices/{}/settings", text(&asset, "/device/id").expect("an id"));
    until(&council.clerk.api, &settings, patience, |settings| settings["reported_version"].is_i64())
        .await
        .expect("it reports the policy");
    (council, living)
}

/// Lets every council be compared now, and waits until it was.
async fn compare(database: &Database) {
    seed::run(database, "UPDATE google_enterprises SET reconciled_at = NULL");
    seed::run_now(database, "android_reconcile").await;
}

/// Measures `devices` phones of two councils.
pub(crate) async fn measure(town: &Town, database: &Database, account: &Account, devices: usize, table: &mut Table) {
    let google = &town.google;
    let (one, _first) = council(town, "one").await;
    let (two, _second) = council(town, "two").await;
    let half = devices / 2;
    for council in [&one, &two] {
        multiply(database, google, &council.id, half - 1).await;
    }
    seed::run(database, "ANALYZE");
    println!("{devices} phones are on the register and at Google");
    let calls = |name: &str| google.calls(name).len() as f64;
    let last = || google.log().last().map_or(0, |call| call.number);

    // The first comparison writes down every setting of every phone.
    let (from, before, started) = (last(), account.spent(), Instant::now());
    compare(database).await;
    let first = (account.spent() - before) * 1e6 / devices as f64;
    println!("the first comparison took {:.0} s", started.elapsed().as_secs_f32());
    table.row("calls: comparison of all phones with Google", calls("enterprises.devices.list"), "", at_most(devices));
    table.row("  calls in its busiest 100 s", busiest_hundred_seconds(google, from).calls as f64, "", quota());
    table.row("  CPU, each phone, the first time", first, "µs", Target::None);

    // A policy for one of the two councils.
    let (patched, read) = (calls("enterprises.policies.patch"), calls("enterprises.devices.get"));
    let (before, started) = (account.spent(), Instant::now());
    let change = json!({ "set": { "passcode.minimum_length": 9 } });
    one.clerk.api.patch(&format!("/councils/{}/policy", one.id), change).await.expect("a new policy");
    seed::jobs_done(database, "android_policies").await;
    seed::jobs_done(database, "policy_fan_out").await;
    let each = (account.spent() - before) * 1e6 / half as f64;
    println!("the new policy took {:.0} s", started.elapsed().as_secs_f32());
    let patched = calls("enterprises.policies.patch") - patched;
    table.row(&format!("calls: a new policy for {half} phones"), patched, "", Target::AtMost(POLICY_CALLS));
    let read = calls("enterprises.devices.get") - read;
    table.row("  phones read one by one for it (the one that lives)", read, "", Target::AtMost(5.0));
    table.row("  CPU, each phone", each, "µs", Target::None);

    // They apply it, and the comparison finds it out.
    for enterprise in google.enterprises() {
        google.everyone_applies(&enterprise, 0);
    }
    let (listed, from) = (calls("enterprises.devices.list"), last());
    let (before, started) = (account.spent(), Instant::now());
    compare(database).await;
    let each = (account.spent() - before) * 1e6 / devices as f64;
    println!("the comparison took {:.0} s", started.elapsed().as_secs_f32());
    table.row("calls: comparison, half with news", calls("enterprises.devices.list") - listed, "", at_most(devices));
    let busiest = busiest_hundred_seconds(google, from);
    table.row("  calls in its busiest 100 s", busiest.calls as f64, "", quota());
    table.row("  CPU, each phone", each, "µs", Target::None);

    // Reports in a burst: each is a hint, and costs a reading.
    let (read, from) = (calls("enterprises.devices.get"), last());
    let (before, started) = (account.spent(), Instant::now());
    google.everyone_applies(&google.enterprises()[0], BURST);
    while calls("enterprises.devices.get") - read < BURST as f64 {
        assert!(started.elapsed() < Duration::from_secs(600), "the reports are not read");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    seed::jobs_done(database, "android_device").await;
    let each = (account.spent() - before) * 1e6 / BURST as f64;
    println!("{BURST} reports took {:.0} s", started.elapsed().as_secs_f32());
    let busiest = busiest_hundred_seconds(google, from);
    table.row(&format!("calls in the busiest 100 s of {BURST} reports at once"), busiest.calls as f64, "", quota());
    table.row("  CPU, each report", each, "µs", Target::None);
    table.row("calls refused by Google's quota, in all", busiest_hundred_seconds(google, 0).refused as f64, "", none());
    table.row("peak memory", account.peak_megabytes(), "MB", Target::None);
    let judgement = google.judgement();
    table.row("requests that Google's discovery document refuses", judgement.refused.len() as f64, "", none());
}

/// A call for a hundred phones, and one more for each council whose last page is not full.
fn at_most(devices: usize) -> Target {
    Target::AtMost((devices / 100 + 2) as f64)
}

fn quota() -> Target {
    Target::AtMost(QUOTA)
}

fn none() -> Target {
    Target::AtMost(0.0)
}
