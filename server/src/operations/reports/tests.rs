//! The rules of taking reports in, on both databases.

use beadle_profiles::Preset;
use beadle_profiles::apple as profile;
use chrono::Duration;
use serde_json::json;

use super::*;
use crate::model::{Actor, Mode, SettingState};
use crate::operations::policies::{Base, Change};
use crate::testing::phone::{enrolled, reloaded};
use crate::testing::{Bench, on_both};

async fn with_policy(bench: &Bench) -> crate::model::CouncilId {
    let council = bench.council("germoe").await;
    let (context, made) = (bench.context(Actor::Local), council.clone());
    bench
        .database
        .write("policy", move |tx| policies::start(tx, &context, &made, Preset::Germoe).map(drop))
        .await
        .expect("a policy");
    council
}

async fn answer(bench: &Bench, enrolment: &Enrolment, kind: CommandKind, answer: Value) {
    let (context, enrolment) = (bench.context(Actor::System), reloaded(bench, enrolment).await);
    bench.database.write("answer", move |tx| take_in(tx, &context, &enrolment, kind, &answer)).await.expect("taken in");
}

async fn queued(bench: &Bench, enrolment: &Enrolment) -> Vec<(CommandKind, i64)> {
    let enrolment = enrolment.clone();
    bench
        .database
        .read("queue", move |tx| {
            let rows = store::commands::open_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?;
            Ok(rows.into_iter().map(|row| (row.kind, row.priority)).collect())
        })
        .await
        .expect("reads")
}

async fn end_all(bench: &Bench, enrolment: &Enrolment) {
    let (context, enrolment) = (bench.context(Actor::System), enrolment.clone());
    bench
        .database
        .write("end", move |tx| commands::cancel_all(tx, &context, &enrolment, "for the test").map(drop))
        .await
        .expect("ends");
}

async fn open_alerts(bench: &Bench, enrolment: &Enrolment) -> Vec<String> {
    let (context, council) = (bench.context(Actor::System), enrolment.council_id.clone());
    bench
        .database
        .read("alerts", move |tx| {
            let open = crate::operations::alerts::list(tx, &context, &council, true, None, 50)?;
            Ok(open.into_iter().map(|alert| alert.kind).collect())
        })
        .await
        .expect("reads")
}

/// The kinds of the rows in the trail about this phone.
async fn trail_of(bench: &Bench, enrolment: &Enrolment) -> Vec<String> {
    let (council, device) = (enrolment.council_id.clone(), enrolment.device_id.clone());
    bench
        .database
        .read("trail", move |tx| {
            let rows = store::audit::of_subject(tx, council.as_str(), device.as_str(), 100)?;
            Ok(rows.into_iter().map(|(row, _)| row.kind).collect())
        })
        .await
        .expect("reads")
}

async fn states(bench: &Bench, enrolment: &Enrolment) -> judge::DeviceSettings {
    let (context, device) = (bench.context(Actor::System), enrolment.device_id.clone());
    bench.database.read("settings", move |tx| settings_of_device(tx, &context, &device)).await.expect("reads")
}

/// ProfileList as a phone sends it with the policy's profile of this version, and the management profile.
fn security(pin: bool) -> Value {
    json!({ "SecurityInfo": {
        "HardwareEncryptionCaps": 3, "PasscodePresent": pin, "PasscodeCompliantWithProfiles": pin } })
}

fn of(settings: &judge::DeviceSettings, name: &str) -> judge::DeviceSetting {
    settings.settings.iter().find(|setting| setting.setting == name).cloned().expect("judged")
}

fn profiles(enrolment: &Enrolment, version: Option<i64>) -> Value {
    let nothing = std::collections::BTreeMap::new();
    let council = enrolment.council_id.as_str();
    let management = beadle_enrollment::apple::management_profile_identifier(council);
    let mut list = vec![json!({ "PayloadIdentifier": management, "PayloadUUID": "M" })];
    if let Some(version) = version {
        let context = policies::context_of(enrolment, version, &nothing).expect("a context");
        list.push(json!({
            "PayloadIdentifier": profile::profile_identifier(council),
            "PayloadUUID": profile::profile_uuid(&context),
        }));
    }
    json!({ "Status": "Acknowledged", "ProfileList": list })
}

#[tokio::test]
async fn a_refresh_asks_each_question_once_and_sends_the_profile_until_the_phone_reports_it() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Device, |_| {}).await;
        let (context, asked) = (bench.context(Actor::System), phone.clone());
        bench
            .database
            .write("refresh twice", move |tx| {
                refresh(tx, &context, &asked)?;
                refresh(tx, &context, &asked)
            })
            .await
            .expect("refreshed");
        let expected = [
            (CommandKind::InstallProfile, 30),
            (CommandKind::DeviceInformation, 50),
            (CommandKind::SecurityInfo, 50),
            (CommandKind::ProfileList, 50),
            (CommandKind::InstalledApplicationList, 50),
        ];
        assert_eq!(queued(&bench, &phone).await, expected);
        end_all(&bench, &phone).await;
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, Some(1))).await;
        let current = reloaded(&bench, &phone).await;
        assert_eq!(current.profile_version, Some(1));
        let context = bench.context(Actor::System);
        bench.database.write("refresh", move |tx| refresh(tx, &context, &current)).await.expect("refreshed");
        assert_eq!(queued(&bench, &phone).await, expected[1..], "the phone has the profile");
        let settings = states(&bench, &phone).await;
        assert_eq!((settings.policy_version, settings.reported_version), (1, Some(1)));
    })
    .await;
}

#[tokio::test]
async fn a_setting_bears_the_time_since_when_it_is_so() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Device, |_| {}).await;
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, Some(1))).await;
        answer(&bench, &phone, CommandKind::SecurityInfo, security(true)).await;
        let first = states(&bench, &phone).await;
        let pin = of(&first, "passcode.required");
        assert_eq!(pin.state, SettingState::InForce);
        bench.clock.advance(Duration::hours(1));
        answer(&bench, &phone, CommandKind::SecurityInfo, security(true)).await;
        let second = of(&states(&bench, &phone).await, "passcode.required");
        assert_eq!(second.since, pin.since, "nothing changed");
        assert!(second.checked_at > pin.checked_at);
        answer(&bench, &phone, CommandKind::SecurityInfo, security(false)).await;
        let third = of(&states(&bench, &phone).await, "passcode.required");
        assert_eq!(third.state, SettingState::NotInForce);
        assert!(third.since > pin.since);
        assert_eq!(of(&states(&bench, &phone).await, "profile").since, of(&first, "profile").since);

        // A setting that is no longer asked for is no longer judged.
        let (context, asked) = (bench.context(Actor::Local), council.clone());
        bench
            .database
            .write("change", move |tx| {
                let off = [Change { path: "encryption.required".to_owned(), value: "false".to_owned() }];
                policies::change(tx, &context, &asked, &Base::Current, &off, "").map(drop)
            })
            .await
            .expect("changed");
        answer(&bench, &phone, CommandKind::SecurityInfo, security(false)).await;
        let after = states(&bench, &phone).await;
        assert!(after.settings.iter().all(|setting| setting.setting != "encryption.required"));
        assert_eq!(of(&after, "profile").state, SettingState::NotInForce, "the phone has the older version");
    })
    .await;
}

#[tokio::test]
async fn what_is_judged_alike_is_compared_no_more_and_anything_else_is() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Supervised, |_| {}).await;
        let mut judgements = Vec::new();
        for set in [true, true, false, true] {
            answer(&bench, &phone, CommandKind::SecurityInfo, security(set)).await;
            let state = of(&states(&bench, &phone).await, "passcode.required").state;
            assert_eq!(state == SettingState::InForce, set, "{state}");
            judgements.push(reloaded(&bench, &phone).await.judgement.expect("judged"));
        }
        assert_eq!(judgements[0], judgements[1]);
        assert_ne!(judgements[1], judgements[2]);
        assert_eq!(judgements[0], judgements[3]);
    })
    .await;
}

#[tokio::test]
async fn another_sim_another_mode_and_a_missing_profile_are_told() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Supervised, |_| {}).await;
        let facts = |iccid: &str, supervised: bool| {
            json!({ "QueryResponses": {
                "SerialNumber": "C39", "DeviceName": "Clerk's phone", "OSVersion": "18.1", "IsSupervised": supervised,
                "ServiceSubscriptions": [
                    { "Slot": "CTSubscriptionSlotTwo", "ICCID": "" },
                    { "Slot": "CTSubscriptionSlotOne", "ICCID": iccid, "PhoneNumber": "+441", "IMEI": "35 1" },
                ] } })
        };
        answer(&bench, &phone, CommandKind::DeviceInformation, facts("8944 1", true)).await;
        assert!(open_alerts(&bench, &phone).await.is_empty());
        let device = {
            let id = phone.device_id.clone();
            bench.database.read("device", move |tx| store::devices::find(tx, &id)).await.expect("reads").expect("there")
        };
        assert_eq!((device.serial.as_deref(), device.iccid.as_deref()), (Some("C39"), Some("8944 1")));
        answer(&bench, &phone, CommandKind::DeviceInformation, facts("8944 2", false)).await;
        answer(&bench, &phone, CommandKind::DeviceInformation, facts("8944 2", false)).await;
        assert_eq!(open_alerts(&bench, &phone).await, ["sim_changed", "mode_disagrees"]);
        assert!(reloaded(&bench, &phone).await.mode_disagrees);
        answer(&bench, &phone, CommandKind::DeviceInformation, facts("8944 2", true)).await;
        assert_eq!(open_alerts(&bench, &phone).await, ["sim_changed"]);
        assert!(!reloaded(&bench, &phone).await.mode_disagrees);
        let rows = trail_of(&bench, &phone).await;
        assert_eq!(rows, ["device mode disagrees", "device mode agrees again"], "each change once, no report");

        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, Some(1))).await;
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, None)).await;
        assert_eq!(open_alerts(&bench, &phone).await, ["sim_changed", "policy_missing"]);
        let installs = |queue: &[(CommandKind, i64)]| {
            queue.iter().filter(|(kind, _)| *kind == CommandKind::InstallProfile).count()
        };
        assert_eq!(installs(&queued(&bench, &phone).await), 1, "sent again");
        end_all(&bench, &phone).await;
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, None)).await;
        assert_eq!(installs(&queued(&bench, &phone).await), 0, "at most once a day");
        bench.clock.advance(Duration::hours(25));
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, None)).await;
        assert_eq!(installs(&queued(&bench, &phone).await), 1);
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, Some(1))).await;
        assert_eq!(open_alerts(&bench, &phone).await, ["sim_changed"]);
    })
    .await;
}

#[tokio::test]
async fn a_vanished_management_profile_is_told_at_the_second_look() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Device, |_| {}).await;
        let without = || json!({ "ProfileList": [{ "PayloadIdentifier": "someone.else", "PayloadUUID": "X" }] });
        answer(&bench, &phone, CommandKind::ProfileList, without()).await;
        assert!(!open_alerts(&bench, &phone).await.contains(&"management_changed".to_owned()));
        assert!(queued(&bench, &phone).await.contains(&(CommandKind::ProfileList, 50)), "asked again");
        answer(&bench, &phone, CommandKind::ProfileList, without()).await;
        assert!(open_alerts(&bench, &phone).await.contains(&"management_changed".to_owned()));
        answer(&bench, &phone, CommandKind::ProfileList, profiles(&phone, Some(1))).await;
        assert!(!open_alerts(&bench, &phone).await.contains(&"management_changed".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_personal_phone_is_not_asked_for_its_apps_nor_are_they_kept() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::User, |enrolment| enrolment.ownership = Ownership::Personal).await;
        let (context, asked) = (bench.context(Actor::System), phone.clone());
        bench.database.write("refresh", move |tx| refresh(tx, &context, &asked)).await.expect("refreshed");
        let kinds: Vec<CommandKind> = queued(&bench, &phone).await.into_iter().map(|(kind, _)| kind).collect();
        assert!(!kinds.contains(&CommandKind::InstalledApplicationList), "{kinds:?}");
        let apps = json!({ "InstalledApplicationList": [{ "Identifier": "org.diary", "Name": "Diary" }] });
        answer(&bench, &phone, CommandKind::InstalledApplicationList, apps).await;
        let (context, device) = (bench.context(Actor::System), phone.device_id.clone());
        let kept = bench.database.read("apps", move |tx| apps_of_device(tx, &context, &device)).await.expect("reads");
        assert!(kept.apps.is_empty() && kept.reported_at.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_report_that_puts_in_doubt_which_phone_it_is_leaves_a_row() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Device, |_| {}).await;
        for change in [
            format!("UPDATE devices SET serial = NULL WHERE id = '{}'", phone.device_id),
            format!(
                "UPDATE assets SET serial = 'S1' WHERE id = (SELECT asset_id FROM devices WHERE id = '{}')",
                phone.device_id
            ),
        ] {
            crate::operations::apple_test_bench::sql(&bench, &change);
        }
        let facts = json!({ "QueryResponses": { "SerialNumber": "S2", "IsSupervised": false } });
        for _ in 0..2 {
            answer(&bench, &phone, CommandKind::DeviceInformation, facts.clone()).await;
        }
        assert_eq!(reloaded(&bench, &phone).await.confirmation, crate::model::Confirmation::Waiting);
        assert_eq!(trail_of(&bench, &phone).await, ["device confirmation changed"]);
    })
    .await;
}

#[tokio::test]
async fn every_card_that_goes_or_comes_is_told_each_time() {
    on_both(|bench| async move {
        let council = with_policy(&bench).await;
        let phone = enrolled(&bench, &council, Mode::Supervised, |_| {}).await;
        let facts = |first: Option<&str>, second: Option<&str>| {
            let slot = |name: &str, iccid: Option<&str>| match iccid {
                Some(iccid) => json!({ "Slot": name, "ICCID": iccid, "IMEI": "35" }),
                None => json!({ "Slot": name, "IMEI": "35" }),
            };
            json!({ "QueryResponses": { "OSVersion": "18.1", "IsSupervised": true, "ServiceSubscriptions": [
                slot("CTSubscriptionSlotOne", first), slot("CTSubscriptionSlotTwo", second) ] } })
        };
        let say = async |said: Value| {
            answer(&bench, &phone, CommandKind::DeviceInformation, said).await;
            let (context, council) = (bench.context(Actor::System), council.clone());
            let open = bench
                .database
                .read("alerts", move |tx| crate::operations::alerts::list(tx, &context, &council, true, None, 50))
                .await
                .expect("reads");
            assert!(open.len() <= 1, "{open:?}");
            open.into_iter().map(|alert| alert.message).next().unwrap_or_default()
        };
        assert_eq!(say(facts(Some("8944000001"), None)).await, "");
        let gone = say(facts(None, None)).await;
        assert!(gone.starts_with("A SIM was taken out of this phone: the card that ended in 000001."), "{gone}");
        assert_eq!(say(facts(None, None)).await, gone, "said once");
        assert_eq!(say(json!({ "QueryResponses": { "OSVersion": "18.1" } })).await, gone, "not asked about cards");
        answer(&bench, &phone, CommandKind::DeviceInformation, facts(None, None)).await;
        let other = say(facts(Some("8944000002"), None)).await;
        assert!(other.contains("put into this phone: the card that ends in 000002."), "{other}");
        assert!(other.contains("Before that: A SIM was taken out"), "the second change shows while the first is open");
        let second = say(facts(Some("8944000002"), Some("8944000003"))).await;
        assert!(second.contains("the card that ends in 000003."), "{second}");
    })
    .await;
}
