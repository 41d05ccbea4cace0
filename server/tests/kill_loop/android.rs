//! The Android phones of the kill loop: lost beside the iPhones, with a Google that misbehaves at random, and three bystanders that
//! obey nothing and must come to no harm.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use beadle_server::demo::{Council, Invited, Town, text, until};
use beadle_server::store::Database;
use beadle_simulator::android::AndroidPhone;
use beadle_simulator::android::cloud::{Fault, PubSubBehaviour, RandomFaults};
use beadle_simulator::android::phone::{AndroidOptions, Living, Lock};
use serde_json::{Value, json};

use super::program::{insist, random, read};
use super::{count, raise_caps, rows, trail};

const MODES: [&str; 3] = ["fully_managed", "company_work_profile", "personal_work_profile"];
/// How long the last orders may take: a job of a killed server is taken over after half a minute, and a call may be repeated.
const LAST_ORDERS: Duration = Duration::from_secs(300);

/// An Android phone, with the item on the register that it is.
struct Carried {
    invited: Invited,
    mode: &'static str,
    phone: AndroidPhone,
    device: String,
    order: Option<String>,
    _living: Living,
}

/// The council that has Android phones.
pub(crate) struct Fleet {
    council: Council,
    seed: u64,
    lost: Vec<Carried>,
    bystanders: Vec<Carried>,
}

async fn enrol(town: &Town, council: &Council, tag: &str, mode: &'static str) -> Carried {
    let invited = town.invite_android(council, tag, &format!("Holder of {tag}"), mode).await.expect("invited");
    let options = match mode {
        "personal_work_profile" => AndroidOptions::personal(tag),
        _ => AndroidOptions::company(tag),
    };
    let phone = AndroidPhone::new(options);
    let living = phone.live();
    town.enrol_android(council, &invited, &phone).await.expect("enrols");
    let asset = until(&council.clerk.api, &format!("/assets/{}", invited.asset), Duration::from_secs(60), |asset| {
        asset.pointer("/device/id").is_some_and(Value::is_string)
    })
    .await
    .expect("Beadle hears of the phone");
    let device = phone.device().expect("a device at Google");
    assert!(text(&asset, "/device/id").is_ok());
    Carried { invited, mode, phone, device, order: None, _living: living }
}

impl Fleet {
    /// Connects a council to Google and enrols the phones to be lost and the bystanders.
    pub(crate) async fn settle(town: &Town, database: &Database, runs: usize) -> Self {
        let seed = std::env::var("TEST_KILL_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| random(1_000_000));
        println!("TEST_KILL_SEED={seed} repeats the faults of Google");
        let council = town.council("kill-android", "Kill Loop Town Council", "germoe").await.expect("a council");
        town.connect_google(&council).await.expect("connected");
        raise_caps(database, &council.id);
        town.google.set_pubsub_behaviour(PubSubBehaviour {
            duplicate_every: 3,
            reverse: true,
            forget_acknowledgement_every: 5,
            ..PubSubBehaviour::default()
        });
        let mut fleet = Self { council, seed, lost: Vec::new(), bystanders: Vec::new() };
        let tags: Vec<(String, &'static str)> =
            (0..runs).map(|number| (format!("A-{number:04}"), MODES[number % MODES.len()])).collect();
        for some in tags.chunks(8) {
            let phones = some.iter().map(|(tag, mode)| enrol(town, &fleet.council, tag, mode));
            fleet.lost.extend(futures_util::future::join_all(phones).await);
        }
        for mode in MODES {
            let bystander = enrol(town, &fleet.council, &format!("B-{mode}"), mode).await;
            bystander.phone.set_screen_lock(Lock::simple_pin(4));
            fleet.bystanders.push(bystander);
        }
        fleet
    }

    pub(crate) async fn sign_in(&mut self, town: &Town) {
        self.council.clerk.sign_in(&town.api).await.expect("the clerk signs in");
        self.council.chair.sign_in(&town.api).await.expect("the chair signs in");
    }

    /// From now on Google has a bad day, another in each run.
    pub(crate) fn misbehave(&self, town: &Town, number: usize) {
        let seed = self.seed.wrapping_add(number as u64);
        town.google.set_random_faults(Some(RandomFaults { per_thousand: 250, ..RandomFaults::bad_day(seed) }));
    }

    /// Reports the phone of this run lost, asks for its wipe and approves it, while the server dies; the phone's end is waited
    /// for by [`Fleet::end`].
    pub(crate) async fn lose(&mut self, number: usize) {
        let (clerk, chair) = (&self.council.clerk.api, &self.council.chair.api);
        let lost = &mut self.lost[number];
        tokio::time::sleep(Duration::from_millis(random(2000))).await;
        let path = format!("/councils/{}/losses", self.council.id);
        let case = insist(clerk, &path, json!({ "asset": lost.invited.asset })).await;
        let case = text(&case, "/case/id").expect("a case");
        let order = json!({ "asset_tag": lost.invited.tag, "reason": "Lost." });
        let order = text(&insist(clerk, &format!("/losses/{case}/orders"), order).await, "/id").expect("an order");
        insist(chair, &format!("/orders/{order}/approve"), json!({})).await;
        lost.order = Some(order);
        // More unfinished orders than a council may have in an hour are not approved: the earlier ones are waited for.
        if let Some(earlier) = number.checked_sub(6).and_then(|earlier| self.lost[earlier].order.clone()) {
            self.confirmed(&earlier).await;
        }
    }

    async fn confirmed(&self, order: &str) -> Value {
        let started = Instant::now();
        loop {
            let row = read(&self.council.clerk.api, &format!("/orders/{order}")).await;
            if row["state"] == "confirmed" {
                return row;
            }
            assert!(started.elapsed() < LAST_ORDERS, "seed {}: an order was lost: {row}", self.seed);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits for every phone's end, and checks phones, Google's log, database and audit trail.
    pub(crate) async fn end(&self, town: &Town, database: &Database) {
        // The server lives on from here; without hanging calls, whose end takes half a minute each.
        let bad_day = RandomFaults::bad_day(self.seed);
        let faults = bad_day.faults.into_iter().filter(|fault| !matches!(fault, Fault::Hang | Fault::HangAfter));
        town.google
            .set_random_faults(Some(RandomFaults { faults: faults.collect(), ..RandomFaults::bad_day(self.seed) }));
        for lost in &self.lost {
            let order = lost.order.as_deref().expect("each was lost");
            if tokio::time::timeout(LAST_ORDERS / 2, self.confirmed(order)).await.is_err() {
                self.tell(town, database, lost);
            }
            self.confirmed(order).await;
        }
        town.google.clear_faults();
        self.check_phones(town);
        self.check_google(town);
        self.check_books(database).await;
    }

    /// What is known of an order that takes long, for whoever has to find out why.
    fn tell(&self, town: &Town, database: &Database, lost: &Carried) {
        eprintln!("seed {}: {} takes long", self.seed, lost.invited.tag);
        eprintln!("events: {:?}", lost.phone.snapshot().events.into_iter().rev().take(6).collect::<Vec<_>>());
        eprintln!("operations: {:?}", town.google.operations(&lost.device));
        for call in town.google.log().iter().rev().take(40).rev() {
            eprintln!(
                "{} {} {} {:?} {:?} {:?}",
                call.number, call.at, call.path, call.status, call.fault, call.problems
            );
        }
        for row in rows(
            database,
            "SELECT kind || ' ' || payload || ' at ' || run_at || ' attempts ' || attempts || ' ' || COALESCE(lease_owner, '') \
             || ' ' || COALESCE(last_problem, '') AS told FROM jobs WHERE kind LIKE 'android%' OR kind = 'wake_device'",
        ) {
            eprintln!("{row}");
        }
    }

    fn check_phones(&self, town: &Town) {
        for Carried { invited, mode, phone, device, .. } in &self.lost {
            let (seen, tag) = (phone.snapshot(), &invited.tag);
            assert_eq!(seen.commands("WIPE").len(), 1, "seed {}: {tag} was not wiped once", self.seed);
            assert!(!seen.work_data, "{tag}: the council's data is gone");
            let whole = u32::from(*mode != "personal_work_profile");
            assert_eq!((seen.factory_resets, seen.profiles_removed), (whole, 1 - whole), "{tag} {mode}");
            assert!(whole == 1 || seen.personal_data, "W3: {tag} lost its holder's own data");
            let locks = seen.commands("LOCK").len() + seen.commands("START_LOST_MODE").len();
            assert!(locks <= 1, "{tag} was locked {locks} times by one report");
            let begun = town.google.operations(device);
            let wipes = begun.iter().filter(|operation| operation["metadata"]["type"] == "WIPE").count();
            assert_eq!(wipes, 1, "seed {}: Google was given the order of {tag} more than once", self.seed);
        }
        for Carried { mode, phone, device, .. } in &self.bystanders {
            let seen = phone.snapshot();
            assert!(
                seen.wipes().is_empty() && seen.work_data && seen.factory_resets == 0,
                "W5: {mode}: {:?}",
                seen.events
            );
            assert!(*mode != "personal_work_profile" || seen.personal_data, "W3");
            assert_eq!(town.google.operations(device), Vec::<Value>::new(), "{mode}: nobody asked for anything");
        }
    }

    fn check_google(&self, town: &Town) {
        let mut faults: BTreeMap<String, usize> = BTreeMap::new();
        for call in town.google.log() {
            if let Some(fault) = call.fault {
                *faults.entry(format!("{fault:?}")).or_default() += 1;
            }
            let ours = call.call != "enterprises.devices.issueCommand" || call.json()["type"] != "RELINQUISH_OWNERSHIP";
            assert!(ours && call.call != "enterprises.delete", "nobody asked for this: {call:?}");
            if call.call == "enterprises.devices.delete" {
                let of = self.lost.iter().find(|lost| call.path.ends_with(&lost.device));
                assert!(of.is_some(), "a record was tidied away that no order is for: {call:?}");
            }
        }
        assert!(!faults.is_empty(), "Google had a good day: nothing was proved");
        assert_eq!(town.google.violations(), Vec::<String>::new());
        let judgement = town.google.judgement();
        assert_eq!(judgement.nothing_wrong(), Ok(()));
        println!(
            "Google: {} calls judged, {} of them with a body; faults {faults:?}",
            judgement.requests, judgement.bodies
        );
    }

    async fn check_books(&self, database: &Database) {
        let council = &self.council.id;
        let trail = trail(&self.council).await;
        for order in self.lost.iter().filter_map(|lost| lost.order.as_deref()) {
            for kind in ["order.approved", "order.confirmed"] {
                let noted = trail.iter().filter(|row| row.kind == kind && row.order == order).count();
                assert_eq!(noted, 1, "{order}: {kind}");
            }
        }
        let ours: Vec<&str> = self.lost.iter().filter_map(|lost| lost.order.as_deref()).collect();
        assert!(trail.iter().all(|row| ours.contains(&row.order.as_str())), "orders that nobody asked for");
        let lost = i64::try_from(self.lost.len()).expect("few");
        for (what, expected, condition) in [
            ("orders", lost, "FROM orders WHERE true"),
            ("confirmed orders", lost, "FROM orders WHERE state = 'confirmed'"),
            ("orders without proof", 0, "FROM orders WHERE (seal IS NULL OR approved_by IS NULL)"),
            (
                "whole erases of personal phones",
                0,
                "FROM orders WHERE ownership = 'personal' AND scope = 'erase_device'",
            ),
            ("calls without an end", 0, "FROM google_operations WHERE order_id IS NOT NULL AND state <> 'ended'"),
            ("wipes done", lost, "FROM google_operations WHERE order_id IS NOT NULL AND outcome = 'done'"),
            (
                "wipes that are neither done nor never made",
                0,
                "FROM google_operations WHERE order_id IS NOT NULL AND outcome NOT IN ('done', 'not_made')",
            ),
        ] {
            let found = count(database, &format!("SELECT COUNT(*) AS count {condition} AND council_id = '{council}'"));
            assert_eq!(found, expected, "{what}");
        }
        let verified = insist(&self.council.clerk.api, &format!("/councils/{council}/audit/verify"), json!({})).await;
        assert_eq!(verified.get("whole"), Some(&json!(true)), "{verified}");
    }
}
