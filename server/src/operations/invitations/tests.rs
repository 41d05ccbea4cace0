use super::*;
use crate::model::{Actor, PushCertificateId, TokenId, TokenScope};
use crate::operations::assets::Description;
use crate::operations::assets::tests::{enrol, lose};
use crate::testing::on_both;

fn phone(tag: &str) -> Description {
    Description {
        tag: Some(tag.to_owned()),
        kind: Some(AssetKind::Phone),
        make: Some("Apple".to_owned()),
        platform: Some(Platform::Apple),
        ..Description::default()
    }
}

fn to(asset: &str) -> NewInvitation {
    NewInvitation { asset: asset.to_owned(), person: None, mode: None, expires_in_hours: None }
}

fn person(tx: &mut Transaction<'_>, context: &Context, name: &str, council_device_only: bool) -> Result<PersonId> {
    let new = people::Description {
        name: Some(name.to_owned()),
        council_device_only: Some(council_device_only),
        ..Default::default()
    };
    people::add(tx, context, "germoe", &new).map(|person| person.id)
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("refused").to_string()
}

#[tokio::test]
async fn the_link_is_shown_once_and_only_its_hash_is_kept() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("invitations", move |tx| {
                let ann = person(tx, &context, "Ann", false)?;
                assets::add(tx, &context, "germoe", &phone("G-1"), std::slice::from_ref(&ann))?;
                let made = create(tx, &context, "germoe", &to("g-1"))?;
                let invitation = &made.named.invitation;
                let code = made.link.strip_prefix("https://germoe.example/i/").expect("the council's own address");
                let code: Code = code.parse().expect("a code");
                assert_eq!(made.code.parse::<Code>().expect("a code"), code);
                assert_eq!(invitation.code_hash, code.hash());
                let found = store::invitations::find_by_code_hash(tx, &code.hash())?.expect("by its code");
                assert_eq!((&found.id, &found.person_id), (&invitation.id, &ann));
                assert_eq!(
                    (found.mode, found.ownership, found.state),
                    (Mode::Device, Ownership::Council, InvitationState::Open)
                );
                assert_eq!(found.expires_at, context.now + Duration::days(7));
                assert!(made.warnings.iter().any(|warning| warning.contains("no push certificate")));

                for hours in [0, -1, MOST_HOURS + 1] {
                    let new = NewInvitation { expires_in_hours: Some(hours), ..to("G-1") };
                    assert!(refusal(create(tx, &context, "germoe", &new)).contains("expires_in_hours"));
                }
                let new =
                    NewInvitation { expires_in_hours: Some(MOST_HOURS), mode: Some(Mode::Supervised), ..to("G-1") };
                let made = create(tx, &context, "germoe", &new)?.named.invitation;
                assert_eq!((made.mode, made.expires_at), (Mode::Supervised, context.now + Duration::days(30)));
                Ok(())
            })
            .await
            .expect("invitations");
    })
    .await;
}

#[tokio::test]
async fn a_newer_invitation_takes_the_place_of_the_older() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("invitations", move |tx| {
                let ann = person(tx, &context, "Ann", false)?;
                assets::add(tx, &context, "germoe", &phone("G-1"), std::slice::from_ref(&ann))?;
                let first = create(tx, &context, "germoe", &to("G-1"))?.named.invitation;
                let second = create(tx, &context, "germoe", &to("G-1"))?.named.invitation;
                assert!(store::invitations::accept(tx, &second, context.now, "1")?);
                let third = create(tx, &context, "germoe", &to("G-1"))?.named.invitation;
                let states: Vec<InvitationState> =
                    list(tx, &context, "germoe", false, None, 9)?.iter().map(|row| row.invitation.state).collect();
                use InvitationState::{Open, Withdrawn};
                assert_eq!(states, [Withdrawn, Withdrawn, Open]);
                assert!(
                    !store::invitations::mark_used(tx, &second, context.now)?,
                    "an accepted one can be used no more"
                );
                let next = list(tx, &context, "germoe", false, Some(first.id.as_str()), 1)?;
                assert_eq!(next[0].invitation.id, second.id);
                assert_eq!((next[0].asset_tag.as_str(), next[0].person_name.as_str()), ("G-1", "Ann"));

                assert_eq!(list(tx, &context, "germoe", true, None, 9)?.len(), 1);
                let late = Context { now: third.expires_at + Duration::seconds(1), ..context.clone() };
                assert!(list(tx, &late, "germoe", true, None, 9)?.is_empty());
                assert!(is_open(&third, third.expires_at) && !is_open(&third, late.now));

                assert_eq!(withdraw(tx, &context, &third.id)?.invitation.state, Withdrawn);
                assert_eq!(withdraw(tx, &context, &third.id)?.invitation.state, Withdrawn, "once is enough");
                assert!(list(tx, &context, "germoe", true, None, 9)?.is_empty());
                let fourth = create(tx, &context, "germoe", &to("G-1"))?.named.invitation;
                assert!(store::invitations::accept(tx, &fourth, context.now, "1")?);
                assert!(store::invitations::mark_used(tx, &fourth, context.now)?);
                assert!(refusal(withdraw(tx, &context, &fourth.id)).contains("enrolled"));
                Ok(())
            })
            .await
            .expect("invitations");
    })
    .await;
}

#[tokio::test]
async fn what_must_not_or_cannot_enrol_is_refused_in_words() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        bench.council("coreley").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("invitations", move |tx| {
                let (ann, bob) = (person(tx, &context, "Ann", false)?, person(tx, &context, "Bob", true)?);
                let personal = |tag| Description { ownership: Some(Ownership::Personal), ..phone(tag) };
                let android = |tag| Description { platform: Some(Platform::Android), ..phone(tag) };
                let unknown = |tag| Description { platform: None, ..personal(tag) };
                let dongle = |tag| Description { kind: Some(AssetKind::Dongle), ..phone(tag) };
                for (new, holders) in [
                    (phone("COUNCIL"), vec![]),
                    (personal("OWN"), vec![ann.clone()]),
                    (unknown("OWN?"), vec![ann.clone()]),
                    (personal("BOB"), vec![bob.clone()]),
                    (android("ANDROID"), vec![ann.clone()]),
                    (dongle("DONGLE"), vec![ann.clone()]),
                    (phone("SHARED"), vec![ann.clone(), bob.clone()]),
                ] {
                    assets::add(tx, &context, "germoe", &new, &holders)?;
                }
                let with = |asset, mode| NewInvitation { mode: Some(mode), ..to(asset) };
                for (new, words) in [
                    (to("OWN"), "personal iPhones wait for account-driven enrolment"),
                    (with("OWN", Mode::User), "personal iPhones wait for account-driven enrolment"),
                    (to("OWN?"), "personal iPhones wait for account-driven enrolment"),
                    (to("BOB"), "the council's own devices only"),
                    (with("ANDROID", Mode::PersonalWorkProfile), "must be fully_managed or company_work_profile"),
                    (
                        NewInvitation { person: Some(ann.clone()), ..with("SHARED", Mode::FullyManaged) },
                        "another kind of phone",
                    ),
                    (to("DONGLE"), "neither a phone nor a tablet"),
                    (to("SHARED"), "say who of them"),
                    (to("COUNCIL"), "nobody holds COUNCIL"),
                    (
                        NewInvitation { person: Some(ann.clone()), ..with("COUNCIL", Mode::User) },
                        "device or supervised",
                    ),
                    (NewInvitation { person: Some(PersonId::new()), ..to("COUNCIL") }, "no such person"),
                    (to("NOTHING"), "no such asset"),
                ] {
                    let refused = refusal(create(tx, &context, "germoe", &new));
                    assert!(refused.contains(words), "{new:?}: {refused}");
                }
                assert!(list(tx, &context, "germoe", false, None, 9)?.is_empty());
                let made = create(tx, &context, "germoe", &NewInvitation { person: Some(bob), ..to("SHARED") })?;
                assert_eq!(made.named.person_name, "Bob");
                let foreign = create(tx, &context, "coreley", &NewInvitation { person: Some(ann), ..to("SHARED") });
                assert!(matches!(foreign, Err(Error::NotFound("asset"))));
                Ok(())
            })
            .await
            .expect("invitations");
    })
    .await;
}

#[tokio::test]
async fn the_clerk_is_warned_of_what_the_invitation_will_do() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("invitations", move |tx| {
                let (ann, bob) = (person(tx, &context, "Ann", false)?, person(tx, &context, "Bob", false)?);
                let asset = assets::add(tx, &context, "germoe", &phone("G-1"), std::slice::from_ref(&ann))?.asset;
                let certificate = crate::store::push_certificates::PushCertificate {
                    council_id: council.clone(),
                    id: PushCertificateId::new(),
                    state: crate::model::PushCertificateState::Current,
                    apple_account: None,
                    topic: Some("com.apple.mgmt.External.1".to_owned()),
                    certificate_pem: Some("pem".to_owned()),
                    sealed_key: Vec::new(),
                    not_before: Some(context.now),
                    not_after: Some(context.now + Duration::days(365)),
                    created_at: context.now,
                    activated_at: Some(context.now),
                    warned_days: None,
                };
                store::authorities::insert_test_push_certificate(tx, &certificate)?;
                assert_eq!(create(tx, &context, "germoe", &to("G-1"))?.warnings, [""; 0]);
                let later = Context { now: context.now + Duration::days(366), ..context.clone() };
                let warnings = create(tx, &later, "germoe", &to("G-1"))?.warnings;
                assert!(warnings[0].contains("has expired"), "{warnings:?}");
                enrol(tx, &context, &asset, &ann)?;
                lose(tx, &context, &asset)?;
                let new = NewInvitation { person: Some(bob), ..to("G-1") };
                let warnings = create(tx, &context, "germoe", &new)?.warnings.join("; ");
                for words in
                    ["a new enrolment replaces", "reported lost", "Bob is not on the register as holder of G-1"]
                {
                    assert!(warnings.contains(words), "{warnings}");
                }
                Ok(())
            })
            .await
            .expect("invitations");
    })
    .await;
}

#[tokio::test]
async fn who_leaves_takes_no_invitation_along() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("invitations", move |tx| {
                let (ann, bob) = (person(tx, &context, "Ann", false)?, person(tx, &context, "Bob", false)?);
                let asset = assets::add(tx, &context, "germoe", &phone("G-1"), &[])?.asset;
                let new = NewInvitation { person: Some(ann.clone()), ..to("G-1") };
                enrol(tx, &context, &asset, &ann)?;
                let refused = refusal(people::end(tx, &context, &ann));
                assert!(refused.contains("Ann enrolled G-1"), "{refused}");
                let made = create(tx, &context, "germoe", &new)?.named.invitation;
                // A council phone that somebody else holds by now keeps nobody.
                assets::hand_over(tx, &context, &asset.id, &[bob], false)?;
                people::end(tx, &context, &ann)?;
                let state = store::invitations::find(tx, &made.id)?.map(|row| row.state);
                assert_eq!(state, Some(InvitationState::Withdrawn));
                assert!(refusal(create(tx, &context, "germoe", &new)).contains("has left"));
                Ok(())
            })
            .await
            .expect("invitations");
    })
    .await;
}

#[tokio::test]
async fn another_council_and_a_reader_change_nothing() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let context = bench.context(Actor::System);
        let token = |council, scopes: &[TokenScope]| {
            bench.context(Actor::Token { id: TokenId::new(), council, scopes: scopes.to_vec() })
        };
        let (stranger, reader) = (token(other, TokenScope::ALL), token(council, &[TokenScope::Read]));
        bench
            .database
            .write("invitations", move |tx| {
                let ann = person(tx, &context, "Ann", false)?;
                assets::add(tx, &context, "germoe", &phone("G-1"), &[ann])?;
                let id = create(tx, &context, "germoe", &to("G-1"))?.named.invitation.id;
                assert!(matches!(create(tx, &stranger, "germoe", &to("G-1")), Err(Error::NotFound(_))));
                assert!(matches!(withdraw(tx, &stranger, &id), Err(Error::NotFound(_))));
                assert!(matches!(list(tx, &stranger, "germoe", false, None, 5), Err(Error::NotFound(_))));
                assert_eq!(list(tx, &reader, "germoe", false, None, 5)?.len(), 1);
                assert!(matches!(create(tx, &reader, "germoe", &to("G-1")), Err(Error::Forbidden(_))));
                assert!(matches!(withdraw(tx, &reader, &id), Err(Error::Forbidden(_))));
                Ok(())
            })
            .await
            .expect("invitations");
    })
    .await;
}
