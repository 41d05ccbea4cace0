//! The chapter about Android: a council phone that is found again, and a councillor's own phone of which only the work profile goes.

use beadle_simulator::android::AndroidPhone;
use beadle_simulator::android::phone::Living;
use serde_json::{Value, json};

use super::api::{Refusal, text};
use super::story::{PATIENCE, Teller, astray, profile_in_force, report, states};
use super::town::{Council, Invited, Town, until};

/// A phone that lives by itself, with the item on the register that it is.
struct Carried {
    invited: Invited,
    phone: AndroidPhone,
    device: String,
    _living: Living,
}

pub(super) async fn tell(teller: &Teller, town: &Town, council: &Council) -> Result<(), Refusal> {
    town.connect_google(council).await?;
    teller.says(
        "Now Android: the provider's project and the council's enterprise are connected to a stand-in for Google.",
    );
    let work = enrol(town, council, "GPC-004", "Dora Dyer", "fully_managed").await?;
    teller.says("Dora's council phone, fresh from its box, scanned a code that lives an hour.");
    let own = enrol(town, council, "OWN-001", "Cllr Ed Edwards", "personal_work_profile").await?;
    teller.says("Ed's own phone opened a link: a work profile stands beside his own apps.");
    for carried in [&work, &own] {
        let settings =
            until(&council.clerk.api, &format!("/devices/{}/settings", carried.device), PATIENCE, profile_in_force)
                .await?;
        let reported = states(&settings);
        teller.says(&format!(
            "{} ({}): the phone itself reports {} settings in force; {} it cannot report or does not obey.",
            carried.invited.tag,
            carried.invited.holder,
            reported.iter().filter(|state| **state == "in_force").count(),
            reported.iter().filter(|state| **state != "in_force").count(),
        ));
    }
    find_again(teller, council, &work).await?;
    remove_the_work_profile(teller, council, &own).await?;
    if let Some(violation) = town.google.violations().first() {
        return Err(astray(&format!("Google would have refused: {violation}")));
    }
    let judgement = town.google.judgement();
    // A build without the simulator's feature `judge` judges nothing; the tests' build does.
    if judgement.requests > 0 {
        judgement.nothing_wrong().map_err(|problem| astray(&problem))?;
        teller.says(&format!(
            "All {} calls to Google, {} of them with a body, are as Google's discovery document wants them.",
            judgement.requests, judgement.bodies
        ));
    }
    Ok(())
}

async fn enrol(town: &Town, council: &Council, tag: &str, holder: &str, mode: &str) -> Result<Carried, Refusal> {
    let invited = town.invite_android(council, tag, holder, mode).await?;
    let phone =
        if mode == "personal_work_profile" { AndroidPhone::personal(holder) } else { AndroidPhone::company(holder) };
    let living = phone.live();
    town.enrol_android(council, &invited, &phone).await?;
    let asset = until(&council.clerk.api, &format!("/assets/{}", invited.asset), PATIENCE, |asset| {
        asset.pointer("/device/id").is_some_and(Value::is_string)
    })
    .await?;
    Ok(Carried { device: text(&asset, "/device/id")?, invited, phone, _living: living })
}

async fn find_again(teller: &Teller, council: &Council, lost: &Carried) -> Result<(), Refusal> {
    let case = report(council, &lost.invited, "the harbour").await?;
    lost.phone
        .wait_until(PATIENCE, |state| state.lost_mode.is_some())
        .await
        .ok_or_else(|| astray("the Android phone did not go into lost mode"))?;
    teller.says("Dora's phone is lost: it shows lost mode with the council's message, and nothing on its lock screen.");
    council.clerk.api.post(&format!("/losses/{case}/found"), json!({})).await?;
    lost.phone
        .wait_until(PATIENCE, |state| state.lost_mode.is_none())
        .await
        .ok_or_else(|| astray("lost mode did not end"))?;
    until(&council.clerk.api, &format!("/losses/{case}"), PATIENCE, |case| {
        case.get("back_in_use_at").is_some_and(Value::is_string)
    })
    .await?;
    teller.says("A fisherman had it. Lost mode ended, and the phone reports that it is back in use.");
    council.clerk.api.post(&format!("/losses/{case}/close"), json!({ "outcome": "Found." })).await?;
    Ok(())
}

async fn remove_the_work_profile(teller: &Teller, council: &Council, lost: &Carried) -> Result<(), Refusal> {
    let case = report(council, &lost.invited, "a taxi").await?;
    lost.phone
        .wait_until(PATIENCE, |state| state.screen_locked || state.work_profile_locked)
        .await
        .ok_or_else(|| astray("the personal phone was not locked"))?;
    let order = council
        .clerk
        .api
        .post(
            &format!("/losses/{case}/orders"),
            json!({ "asset_tag": lost.invited.tag, "reason": "Gone with a taxi." }),
        )
        .await?;
    let id = text(&order, "/id")?;
    teller.says(&format!("Ed's phone went off in a taxi; it is locked. {}", text(&order, "/what")?));
    council.chair.api.post(&format!("/orders/{id}/approve"), json!({})).await?;
    until(&council.clerk.api, &format!("/orders/{id}"), PATIENCE, |order| {
        order.get("state").and_then(Value::as_str) == Some("confirmed")
    })
    .await?;
    let after = lost.phone.snapshot();
    if !after.personal_data || after.factory_resets != 0 || after.work_data {
        return Err(astray("a personal phone lost more, or less, than its work profile"));
    }
    teller.says("Charlie approved: the work profile is gone, and Ed's own pictures are all still there.");
    council.clerk.api.post(&format!("/losses/{case}/close"), json!({ "outcome": "Work profile removed." })).await?;
    Ok(())
}
