use super::*;
use crate::model::{
    Actor, CaseId, CaseState, Confirmation, DeviceId, EnrolmentId, EnrolmentState, InvitationState, Mode, TokenId,
    TokenScope,
};
use crate::operations::invitations::NewInvitation;
use crate::store::people::Person;
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

fn person(tx: &mut Transaction<'_>, context: &Context, name: &str) -> Result<Person> {
    people::add(tx, context, "germoe", &people::Description { name: Some(name.to_owned()), ..Default::default() })
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("refused").to_string()
}

fn names(holders: &[Holder]) -> Vec<&str> {
    holders.iter().map(|holder| holder.name.as_str()).collect()
}

/// Enrols a device as the asset by an invitation of this person.
pub(crate) fn enrol(
    tx: &mut Transaction<'_>,
    context: &Context,
    asset: &Asset,
    person: &PersonId,
) -> Result<EnrolmentId> {
    let new =
        NewInvitation { asset: asset.tag.clone(), person: Some(person.clone()), mode: None, expires_in_hours: None };
    let invitation = invitations::create(tx, context, asset.council_id.as_str(), &new)?.named.invitation;
    assert!(store::invitations::accept(tx, &invitation, context.now, "1")?);
    assert!(store::invitations::mark_used(tx, &invitation, context.now)?);
    let device = Device {
        council_id: asset.council_id.clone(),
        id: DeviceId::new(),
        asset_id: asset.id.clone(),
        platform: Platform::Apple,
        udid: DeviceId::new().to_string(),
        serial: asset.serial.clone(),
        product: None,
        name: None,
        os_version: None,
        imei: None,
        iccid: None,
        phone_number: None,
        created_at: context.now,
        retired_at: None,
    };
    store::devices::insert(tx, &device)?;
    let enrolment = Enrolment {
        council_id: asset.council_id.clone(),
        id: EnrolmentId::new(),
        device_id: device.id,
        generation: 1,
        platform: Platform::Apple,
        mode: Mode::Device,
        ownership: asset.ownership,
        invitation_id: invitation.id,
        state: EnrolmentState::Enrolled,
        confirmation: Confirmation::NotNeeded,
        mode_disagrees: false,
        fingerprint: device.udid,
        topic: None,
        push_token: None,
        push_token_at: None,
        sealed_push_magic: None,
        sealed_unlock_token: None,
        push_retired_at: None,
        authenticated_at: context.now,
        enrolled_at: Some(context.now),
        last_seen_at: context.now,
        identity_not_after: None,
        renewal_started_at: None,
        profile_version: None,
        ended_at: None,
        end_reason: None,
        judgement: None,
    };
    store::enrolments::insert(tx, &enrolment)?;
    Ok(enrolment.id)
}

/// Opens a loss case about the asset.
pub(crate) fn lose(tx: &mut Transaction<'_>, context: &Context, asset: &Asset) -> Result<Case> {
    let case = Case {
        council_id: asset.council_id.clone(),
        id: CaseId::new(),
        kind: CaseKind::Loss,
        asset_id: asset.id.clone(),
        device_id: None,
        state: CaseState::Open,
        reported_by: context.actor.label(),
        reporter: "Ann".to_owned(),
        reported_at: context.now,
        happened_at: None,
        place: String::new(),
        circumstances: String::new(),
        aware_at: context.now,
        contact_message: String::new(),
        contact_number: String::new(),
        police_reference: String::new(),
        found_at: None,
        found_by: None,
        back_in_use_at: None,
        closed_at: None,
        closed_by: None,
        outcome: None,
    };
    store::cases::insert(tx, &case)?;
    Ok(case)
}

#[tokio::test]
async fn a_tag_is_on_one_item_only() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        bench.council("coreley").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("assets", move |tx| {
                let first = add(tx, &context, "germoe", &phone("GPC-1"), &[])?.asset;
                let again = refusal(add(tx, &context, "germoe", &phone("gpc-1"), &[]));
                assert!(again.contains("GPC-1") && again.contains("another item"), "{again}");
                add(tx, &context, "coreley", &phone("GPC-1"), &[])?;
                dispose(tx, &context, &first.id)?;
                let again = refusal(add(tx, &context, "germoe", &phone("GPC-1"), &[]));
                assert!(again.contains("disposed of"), "{again}");
                assert!(refusal(add(tx, &context, "germoe", &phone(" "), &[])).starts_with("tag"));
                let nameless = Description { make: None, ..phone("GPC-2") };
                assert!(refusal(add(tx, &context, "germoe", &nameless, &[])).starts_with("make"));

                let serial = Description { serial: Some("C7F".to_owned()), ..phone("GPC-3") };
                add(tx, &context, "germoe", &serial, &[])?;
                let same = Description { serial: Some("c7f".to_owned()), ..phone("GPC-4") };
                assert!(refusal(add(tx, &context, "germoe", &same, &[])).contains("GPC-3"));
                Ok(())
            })
            .await
            .expect("assets");
    })
    .await;
}

#[tokio::test]
async fn items_are_found_by_tag_serial_and_number() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("assets", move |tx| {
                for (tag, number) in
                    [("GPC-09", "07700 900123"), ("GPC-10", "+44 7700 900456"), ("GPD-1", "01736 900123")]
                {
                    let new = Description {
                        phone_number: Some(number.to_owned()),
                        serial: Some(format!("SER-{tag}")),
                        imei: Some(format!("35693803564380{}", tag.len())),
                        ..phone(tag)
                    };
                    add(tx, &context, "germoe", &new, &[])?;
                }
                let mut find = |wanted: &Wanted| {
                    list(tx, &context, "germoe", wanted, None, 10).map(|found| {
                        let mut tags: Vec<String> = found.into_iter().map(|listed| listed.asset.tag).collect();
                        tags.sort();
                        tags.join(" ")
                    })
                };
                let search = |text: &str| Wanted { search: Some(text.to_owned()), ..Wanted::default() };
                for (text, tags) in [
                    ("GPC", "GPC-09 GPC-10"),
                    ("gpc-1", "GPC-10"),
                    ("GPC-", "GPC-09 GPC-10"),
                    ("GP", "GPC-09 GPC-10 GPD-1"),
                    ("PC", ""),
                    ("123", "GPC-09 GPD-1"),
                    ("07700 900456", "GPC-10"),
                    ("+44 7700 900123", "GPC-09"),
                    ("23", ""),
                    ("356938035643805", "GPD-1"),
                    ("ser-gpd-1", "GPD-1"),
                ] {
                    assert_eq!(find(&search(text))?, tags, "{text}");
                }
                assert_eq!(find(&Wanted { tag: Some("gpd-1".to_owned()), ..Wanted::default() })?, "GPD-1");
                assert_eq!(find(&Wanted { tag: Some("GPD".to_owned()), ..Wanted::default() })?, "");
                assert_eq!(find(&Wanted { serial: Some("SER-GPC-10".to_owned()), ..Wanted::default() })?, "GPC-10");
                assert!(find(&Wanted { tag: Some("a".to_owned()), ..search("b") }).is_err());
                assert_eq!(find(&Wanted::default())?, "GPC-09 GPC-10 GPD-1");
                let shown = show_named(tx, &context, "germoe", "gpc-09")?;
                assert_eq!(shown.asset.tag, "GPC-09");
                assert_eq!(show(tx, &context, &shown.asset.id)?.asset.tag, "GPC-09");
                assert_eq!(show_named(tx, &context, "germoe", shown.asset.id.as_str())?.asset.tag, "GPC-09");
                assert!(matches!(show_named(tx, &context, "germoe", "GPC"), Err(Error::NotFound(_))));
                Ok(())
            })
            .await
            .expect("assets");
    })
    .await;
}

#[tokio::test]
async fn an_item_goes_from_hand_to_hand_and_its_history_stays() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        bench.council("coreley").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("assets", move |tx| {
                let (ann, bob) = (person(tx, &context, "Ann")?, person(tx, &context, "Bob")?);
                let (ann, bob) = (ann.id, bob.id);
                let added = add(tx, &context, "germoe", &phone("G-1"), &[ann.clone(), ann.clone()])?;
                assert_eq!(names(&added.holders), ["Ann"]);
                let id = added.asset.id;
                assert_eq!(
                    names(&hand_over(tx, &context, &id, std::slice::from_ref(&bob), true)?.holders),
                    ["Ann", "Bob"]
                );
                assert_eq!(names(&hand_over(tx, &context, &id, std::slice::from_ref(&bob), false)?.holders), ["Bob"]);
                assert_eq!(names(&hand_over(tx, &context, &id, std::slice::from_ref(&ann), false)?.holders), ["Ann"]);
                let history = show(tx, &context, &id)?.custody;
                assert_eq!(names(&history), ["Ann", "Bob", "Ann"]);
                assert_eq!(history.iter().filter(|held| held.until.is_none()).count(), 1);
                assert_eq!(hand_over(tx, &context, &id, &[], true)?.holders.len(), 1, "shared with nobody: as it was");
                assert_eq!(hand_over(tx, &context, &id, &[], false)?.holders.len(), 0, "back in the office");
                let foreign = people::Description { name: Some("Eve".to_owned()), ..Default::default() };
                let eve = people::add(tx, &context, "coreley", &foreign)?;
                assert!(refusal(hand_over(tx, &context, &id, &[eve.id], false)).contains("no such person"));
                Ok(())
            })
            .await
            .expect("assets");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_disposed_of_that_is_managed_or_lost() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("assets", move |tx| {
                let ann = person(tx, &context, "Ann")?.id;
                let asset = add(tx, &context, "germoe", &phone("G-1"), std::slice::from_ref(&ann))?.asset;
                let enrolment = enrol(tx, &context, &asset, &ann)?;
                let mut case = lose(tx, &context, &asset)?;
                assert!(refusal(dispose(tx, &context, &asset.id)).contains("a loss is open for G-1"));
                let shown = show(tx, &context, &asset.id)?;
                assert_eq!(shown.cases.len(), 1);
                assert!(shown.device.is_some_and(|(_, newest)| newest.is_some_and(|newest| newest.id == enrolment)));
                (case.state, case.closed_at) = (CaseState::Closed, Some(context.now));
                store::cases::update(tx, &case)?;
                assert!(refusal(dispose(tx, &context, &asset.id)).contains("under management"));
                let mine = Description { ownership: Some(Ownership::Personal), ..Description::default() };
                assert!(refusal(change(tx, &context, &asset.id, &mine)).contains("under management"));
                store::enrolments::end(tx, &asset.council_id, &enrolment, context.now, "left")?;

                let new = NewInvitation { asset: "G-1".to_owned(), person: None, mode: None, expires_in_hours: None };
                let invitation = invitations::create(tx, &context, "germoe", &new)?.named.invitation;
                assert!(refusal(change(tx, &context, &asset.id, &mine)).contains("withdraw"));
                let disposed = dispose(tx, &context, &asset.id)?;
                assert!(disposed.asset.disposed_at.is_some() && disposed.holders.is_empty());
                let after = store::invitations::find(tx, &invitation.id)?.map(|row| row.state);
                assert_eq!(after, Some(InvitationState::Withdrawn));
                assert!(refusal(hand_over(tx, &context, &asset.id, &[ann], false)).contains("disposed of"));
                assert!(refusal(change(tx, &context, &asset.id, &phone("G-2"))).contains("disposed of"));
                assert!(list(tx, &context, "germoe", &Wanted::default(), None, 5)?.is_empty());
                let all = Wanted { which: Which::All, ..Wanted::default() };
                assert_eq!(list(tx, &context, "germoe", &all, None, 5)?.len(), 1);
                Ok(())
            })
            .await
            .expect("assets");
    })
    .await;
}

#[tokio::test]
async fn a_change_touches_what_it_names_only() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("assets", move |tx| {
                let new = Description {
                    phone_number: Some("07700 900123".to_owned()),
                    serial: Some("C7F".to_owned()),
                    ..phone("G-1")
                };
                let asset = add(tx, &context, "germoe", &new, &[])?.asset;
                add(tx, &context, "germoe", &phone("G-2"), &[])?;
                let taken = Description { tag: Some("G-2".to_owned()), ..Description::default() };
                assert!(refusal(change(tx, &context, &asset.id, &taken)).contains("another item"));
                let other = Description {
                    tag: Some("G-3".to_owned()),
                    phone_number: Some(String::new()),
                    ownership: Some(Ownership::Personal),
                    ..Description::default()
                };
                let after = change(tx, &context, &asset.id, &other)?.asset;
                assert_eq!((after.tag.as_str(), after.make.as_str()), ("G-3", "Apple"));
                assert_eq!((after.phone_number, after.phone_digits), (None, None));
                assert_eq!((after.serial.as_deref(), after.ownership), (Some("C7F"), Ownership::Personal));
                Ok(())
            })
            .await
            .expect("assets");
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
            .write("assets", move |tx| {
                let id = add(tx, &context, "germoe", &phone("G-1"), &[])?.asset.id;
                let none = Wanted::default();
                assert!(matches!(show(tx, &stranger, &id), Err(Error::NotFound(_))));
                assert!(matches!(show_named(tx, &stranger, "coreley", id.as_str()), Err(Error::NotFound(_))));
                assert!(matches!(show_named(tx, &stranger, "coreley", "G-1"), Err(Error::NotFound(_))));
                assert!(matches!(list(tx, &stranger, "germoe", &none, None, 5), Err(Error::NotFound(_))));
                assert!(matches!(change(tx, &stranger, &id, &phone("X")), Err(Error::NotFound(_))));
                assert!(matches!(hand_over(tx, &stranger, &id, &[], false), Err(Error::NotFound(_))));
                assert!(matches!(dispose(tx, &stranger, &id), Err(Error::NotFound(_))));
                show(tx, &reader, &id)?;
                assert!(matches!(add(tx, &reader, "germoe", &phone("X"), &[]), Err(Error::Forbidden(_))));
                assert!(matches!(change(tx, &reader, &id, &phone("X")), Err(Error::Forbidden(_))));
                assert!(matches!(hand_over(tx, &reader, &id, &[], false), Err(Error::Forbidden(_))));
                assert!(matches!(dispose(tx, &reader, &id), Err(Error::Forbidden(_))));
                Ok(())
            })
            .await
            .expect("assets");
    })
    .await;
}
