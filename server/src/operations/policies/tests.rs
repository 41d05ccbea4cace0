//! The rules of changing a policy, on both databases.

use beadle_enrollment::authority::{Authority, Serial};
use beadle_simulator::apple::schema::{self, Device, Source};

use super::*;
use crate::model::{Actor, Mode, Ownership, TokenId, TokenScope};
use crate::testing::on_both;

fn setting(path: &str, value: &str) -> Change {
    Change { path: path.to_owned(), value: value.to_owned() }
}

#[tokio::test]
async fn each_change_is_a_version_with_its_differences_and_goes_out_to_the_phones() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let context = bench.context(Actor::Local);
        bench
            .database
            .write("policy", move |tx| {
                assert_eq!(show(tx, &context, &council, None)?.version, 0);
                start(tx, &context, &council, Preset::Germoe)?;
                let longer = [setting("passcode.minimum_length", "8")];
                let made = change(tx, &context, &council, &Base::Current, &longer, "after the audit")?;
                assert_eq!((made.version, made.policy.passcode.minimum_length), (2, Some(8)));
                let same = change(tx, &context, &council, &Base::Current, &longer, "");
                assert!(matches!(same, Err(Error::Conflict(_))), "{same:?}");
                let back = change(tx, &context, &council, &Base::Version(1), &[], "too long")?;
                assert_eq!((back.version, back.policy.passcode.minimum_length), (3, Some(6)));
                let lines = history(tx, &context, &council, None, 2)?;
                assert_eq!(lines.iter().map(|line| line.version).collect::<Vec<_>>(), [3, 2]);
                let expected = Difference {
                    setting: "passcode.minimum_length".to_owned(),
                    from: Some("6".to_owned()),
                    to: Some("8".to_owned()),
                };
                assert_eq!(lines[1].differences, [expected]);
                assert_eq!((lines[1].note.as_str(), lines[1].changed_by.as_str()), ("after the audit", "local"));
                assert_eq!(history(tx, &context, &council, Some(2), 5)?.len(), 1);
                assert!(store::jobs::find_by_key(tx, &format!("policy:{council}"))?.is_some());
                assert!(!coverage(tx, &context, &council)?.is_empty());
                let trail = audit::verify(tx, &context.keys.audit, council.as_str(), None)?;
                assert_eq!((trail.rows, trail.problems.is_empty()), (3, true));
                Ok(())
            })
            .await
            .expect("policy");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_stand_is_refused_whole_with_every_reason() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let context = bench.context(Actor::Local);
        let auditor = bench.context(Actor::Token {
            id: TokenId::new(),
            council: council.clone(),
            scopes: TokenScope::ALL.to_vec(),
        });
        bench
            .database
            .write("policy", move |tx| {
                start(tx, &context, &council, Preset::Germoe)?;
                let wrong =
                    [setting("passcode.erase_after_failed_attempts", "3"), setting("passcode.minimum_length", "40")];
                let refused = change(tx, &context, &council, &Base::Current, &wrong, "").expect_err("refused");
                let Error::Invalid { field, problem } = refused else { panic!("{refused}") };
                assert!(field.starts_with("passcode."), "{field}");
                assert!(problem.contains("Also passcode."), "{problem}");
                let unknown = change(tx, &context, &council, &Base::Current, &[setting("x.y", "1")], "");
                assert!(matches!(unknown, Err(Error::Invalid { .. })));
                let longer = [setting("passcode.minimum_length", "8")];
                let token = change(tx, &auditor, &council, &Base::Current, &longer, "");
                assert!(matches!(token, Err(Error::Forbidden(_))));
                assert_eq!(show(tx, &context, &council, None)?.version, 1);
                Ok(())
            })
            .await
            .expect("policy");
    })
    .await;
}

#[tokio::test]
async fn a_network_needs_its_password_and_a_new_password_makes_a_new_version() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let context = bench.context(Actor::Local);
        bench
            .database
            .write("policy", move |tx| {
                start(tx, &context, &council, Preset::Germoe)?;
                let hall = [setting("wifi.networks", r#"[{"ssid":"Hall","security":"wpa2"}]"#)];
                let refused = change(tx, &context, &council, &Base::Current, &hall, "").expect_err("no password");
                assert!(refused.to_string().contains("wifi.networks.0"), "{refused}");
                set_wifi_password(tx, &context, &other, "Hall", Some("of another council"))?;
                assert!(change(tx, &context, &council, &Base::Current, &hall, "").is_err());
                assert!(set_wifi_password(tx, &context, &council, "Hall", Some("short")).is_err());
                assert_eq!(set_wifi_password(tx, &context, &council, "Hall", Some("first password"))?, None);
                assert_eq!(change(tx, &context, &council, &Base::Current, &hall, "")?.version, 2);
                assert_eq!(set_wifi_password(tx, &context, &council, "Hall", Some("second password"))?, Some(3));
                let forget = set_wifi_password(tx, &context, &council, "Hall", None);
                assert!(matches!(forget, Err(Error::Conflict(_))), "{forget:?}");
                let stored = secrets(tx, &context, &council)?;
                assert_eq!((stored.len(), stored[0].kind, stored[0].name.as_str()), (1, "wifi", "Hall"));

                let row = store::councils::find(tx, &council)?.expect("there");
                let version = store::policies::current(tx, &council)?.expect("there");
                let sealed = store::policy_secrets::named(tx, &council, &["wifi:Hall".to_owned()])?;
                let keys = &context.keys;
                let made = compile(keys, &row, Mode::Supervised, Ownership::Council, &version, &sealed)?;
                let text = String::from_utf8(made.bytes).expect("XML");
                assert!(made.version == 3 && text.contains("second password"), "{text}");
                let without = compile(keys, &row, Mode::Supervised, Ownership::Council, &version, &[]);
                assert!(matches!(without, Err(Error::Invalid { .. })));
                Ok(())
            })
            .await
            .expect("policy");
    })
    .await;
}

/// Apple's modes, with whose the phone may be.
const APPLE: [(Mode, Ownership, schema::Mode); 4] = [
    (Mode::Supervised, Ownership::Council, schema::Mode::Supervised),
    (Mode::Device, Ownership::Council, schema::Mode::Device),
    (Mode::Device, Ownership::Personal, schema::Mode::Device),
    (Mode::User, Ownership::Personal, schema::Mode::User),
];

/// What Apple's schema says against a profile; an iOS that is older than a key passes over it.
fn complaints(xml: &[u8], mode: schema::Mode, source: Source) -> Vec<String> {
    let profile = plist::Value::from_reader_xml(xml).expect("a property list");
    let check = |ios| schema::check_profile(&profile, &Device { mode, ios, source });
    [(17, 6), (18, 1)].into_iter().flat_map(check).map(|violation| violation.to_string()).collect()
}

/// A policy that asks for everything that can be asked for.
const STRICTEST: &[(&str, &str)] = &[
    ("passcode.alphanumeric", "yes"),
    ("passcode.maximum_age_days", "365"),
    ("passcode.history", "5"),
    ("cloud.whole_phone_backup_allowed", "no"),
    ("camera.allowed", "no"),
    ("screen.screenshots_allowed", "no"),
    ("accessories.computer_pairing_allowed", "no"),
    ("apps.holder_may_install", "no"),
    ("management.other_profiles_allowed", "no"),
    ("management.reset_by_holder_allowed", "no"),
    ("updates.minimum_ios", "17.6"),
    ("wifi.networks", r#"[{"ssid":"Hall","security":"wpa2"},{"ssid":"Büro","security":"wpa3","hidden":true}]"#),
    ("wifi.only_these_networks", "yes"),
    ("certificates.install", "County authority"),
    ("roaming.data_allowed", "no"),
    ("diagnostics.reports_allowed", "no"),
];

fn authority_certificate(context: &Context) -> Vec<u8> {
    let (from, to) = (context.now.utc(), context.now.utc() + chrono::Duration::days(3650));
    Authority::create("Germoe", Serial::from_random([7; 16]), from, to).expect("makes").certificate_der()
}

#[tokio::test]
async fn every_policy_profile_passes_apples_schema() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let context = bench.context(Actor::Local);
        let authority = authority_certificate(&context);
        let wrong = bench
            .database
            .write("policies", move |tx| {
                for ssid in ["Hall", "Büro"] {
                    set_wifi_password(tx, &context, &council, ssid, Some("purple candle river"))?;
                }
                set_certificate(tx, &context, &council, "County authority", Some(&authority))?;
                start(tx, &context, &council, Preset::CouncilTemplate)?;
                let strictest: Vec<Change> = STRICTEST.iter().map(|(path, value)| setting(path, value)).collect();
                let mut policies: Vec<(String, Base, Vec<Change>)> =
                    vec![("the strictest".to_owned(), Base::Preset(Preset::Germoe), strictest)];
                policies.extend(Preset::all().iter().map(|it| (it.to_string(), Base::Preset(*it), Vec::new())));
                let row = store::councils::find(tx, &council)?.expect("there");
                let mut wrong = Vec::new();
                for (name, base, changes) in policies {
                    // The first policy is the template already, which makes no version.
                    match change(tx, &context, &council, &base, &changes, "") {
                        Ok(_) | Err(Error::Conflict(_)) => {}
                        Err(problem) => return Err(problem),
                    }
                    let version = store::policies::current(tx, &council)?.expect("there");
                    let policy: Policy = serde_json::from_str(&version.settings)?;
                    let sealed = store::policy_secrets::named(tx, &council, &secrets::wanted(&policy))?;
                    for (mode, ownership, known) in APPLE {
                        let made = compile(&context.keys, &row, mode, ownership, &version, &sealed)?;
                        let found = complaints(&made.bytes, known, Source::Mdm);
                        wrong.extend(found.iter().map(|it| format!("{name}, {mode}, {ownership}: {it}")));
                    }
                }
                Ok(wrong)
            })
            .await
            .expect("policies");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn the_enrolment_profile_and_the_renewal_pass_apples_schema() {
    use crate::platform::apple::profile::{CouncilFacts, EnrolmentFacts, enrolment_profile};
    on_both(|bench| async move {
        let authority = authority_certificate(&bench.context(Actor::Local));
        let roots = [authority.clone()];
        let council = CouncilFacts {
            id: "0193f2a0-0000-7000-8000-00000000c0de",
            name: "Germoe Parish Council",
            public_url: "https://mdm.germoe.example",
            authority_certificate: &authority,
            extra_tls_roots: &roots,
        };
        for (mode, ownership, known) in APPLE {
            let facts = EnrolmentFacts { mode, ownership, topic: "com.apple.mgmt.External.x", token: "invitation" };
            let made = enrolment_profile(&council, &facts, "a challenge");
            if mode == Mode::User {
                // It begins at the phone, not with a profile.
                assert!(made.is_err(), "{mode}, {ownership}");
                continue;
            }
            let xml = made.expect("makes");
            // Downloaded and installed by hand at first; the same by command when the identity is renewed.
            for source in [Source::Manual, Source::Mdm] {
                assert_eq!(complaints(&xml, known, source), Vec::<String>::new(), "{mode}, {ownership}, {source:?}");
            }
        }
    })
    .await;
}
