//! The story itself: a council, three phones, one wiped, one found again, and an audit trail that proves it.

use std::path::Path;
use std::time::{Duration, Instant};

use beadle_simulator::apple::phone::PhoneHandle;
use serde_json::{Value, json};

use super::api::{Person, Refusal, text};
use super::town::{Council, Invited, Town, until};

pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Teller {
    started: Instant,
}

impl Teller {
    pub(super) fn says(&self, line: &str) {
        println!("{:>5.1} s  {line}", self.started.elapsed().as_secs_f32());
    }
}

pub(super) fn astray(what: &str) -> Refusal {
    Refusal { status: 0, detail: what.to_owned() }
}

pub(super) async fn tell(folder: &Path, started: Instant, exit: bool) -> Result<(), Refusal> {
    let teller = Teller { started };
    println!(
        "Beadle, a story in one terminal. Everything runs on this computer; the phones, Apple and Google are stand-ins.\n"
    );
    let mut town = Town::start(folder, |_| {}).await?;
    teller.says(&format!(
        "The server is up at {} with an empty database, and so is a stand-in for Apple's push service.",
        town.api.base()
    ));
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await?;
    teller.says("Germoe Parish Council exists: its own certificate authority, its policy, a push certificate.");
    teller.says("Carol is its clerk and Charlie its chair; each has a password and an authenticator app.");

    let phones = enrol_three(&teller, &town, &council).await?;
    lose_and_wipe(&teller, &town, &council, &phones[0]).await?;
    lose_and_find(&teller, &town, &council, &phones[2]).await?;
    if phones[1].1.snapshot().commands_of("EraseDevice").is_empty() {
        teller.says("The third phone never noticed any of it.");
    } else {
        return Err(astray("the wrong phone was told to erase itself"));
    }
    super::android_story::tell(&teller, &town, &council).await?;
    verify(&teller, &council).await?;

    for (_, phone) in phones {
        phone.stop().await.map_err(|problem| astray(&problem.to_string()))?;
    }
    if !exit {
        stay(&town, &council).await?;
    }
    match town.server.take() {
        Some(server) => server.stop().await.map_err(|problem| astray(&problem.to_string())),
        None => Ok(()),
    }
}

type Carried = (Invited, PhoneHandle);

async fn enrol_three(teller: &Teller, town: &Town, council: &Council) -> Result<[Carried; 3], Refusal> {
    let mut options = ["Ann's iPhone", "Ben's iPhone", "Cath's iPhone"].map(|name| town.phone_options(name));
    options[2].supervised = true;
    let mut invited = Vec::new();
    for ((tag, holder), options) in
        [("GPC-001", "Cllr Ann Angove"), ("GPC-002", "Cllr Ben Bosanko"), ("GPC-003", "Cath Curnow")]
            .iter()
            .zip(&options)
    {
        invited.push(town.invite(council, tag, holder, options).await?);
    }
    teller.says("Three phones are on the register, and three people have a link.");
    let [first, second, third] = options;
    let [one, two, three] = invited.as_slice() else { return Err(astray("three invitations were made")) };
    let (first, second, third) =
        tokio::try_join!(town.enrol(one, first), town.enrol(two, second), town.enrol(three, third))?;
    teller.says("They read the notice and accepted; the phones fetched certificates by SCEP and enrolled.");
    let phones = [(one.clone(), first), (two.clone(), second), (three.clone(), third)];
    for (invited, _) in &phones {
        let device = text(&town.device(council, invited).await?, "/id")?;
        let settings = until(&council.clerk.api, &format!("/devices/{device}/settings"), PATIENCE, |settings| {
            let all = states(settings);
            !all.is_empty() && all.contains(&"in_force") && !all.contains(&"not_in_force") && profile_in_force(settings)
        })
        .await?;
        let all = states(&settings);
        teller.says(&format!(
            "{} ({}): the phone itself reports {} settings in force; {} it cannot report.",
            invited.tag,
            invited.holder,
            all.iter().filter(|state| **state == "in_force").count(),
            all.iter().filter(|state| **state == "unknown").count(),
        ));
    }
    Ok(phones)
}

fn items(settings: &Value) -> &[Value] {
    settings.get("settings").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn states(settings: &Value) -> Vec<&str> {
    items(settings).iter().filter_map(|setting| setting.get("state")?.as_str()).collect()
}

pub(super) fn profile_in_force(settings: &Value) -> bool {
    items(settings).iter().any(|setting| {
        setting.get("setting").and_then(Value::as_str) == Some("profile")
            && setting.get("state").and_then(Value::as_str) == Some("in_force")
    })
}

pub(super) async fn report(council: &Council, invited: &Invited, place: &str) -> Result<String, Refusal> {
    let reported = council
        .clerk
        .api
        .post(
            &format!("/councils/{}/losses", council.id),
            json!({
                "asset": invited.asset, "reporter": invited.holder, "place": place,
                "contact_message": "This phone belongs to Germoe Parish Council.",
                "contact_number": "+441736000000",
            }),
        )
        .await?;
    text(&reported, "/case/id")
}

async fn lose_and_wipe(teller: &Teller, town: &Town, council: &Council, lost: &Carried) -> Result<(), Refusal> {
    let (invited, phone) = lost;
    let case = report(council, invited, "the 18:04 train to Penzance").await?;
    teller.says(&format!(
        "{} left {} on the train. Carol reported it: the lock is on its way.",
        invited.holder, invited.tag
    ));
    phone.wait_until(PATIENCE, |state| state.locked).await.ok_or_else(|| astray("the phone did not lock"))?;
    teller.says("The phone was woken and locked its screen.");
    let order = council
        .clerk
        .api
        .post(
            &format!("/losses/{case}/orders"),
            json!({ "asset_tag": invited.tag, "reason": "Stolen; it holds casework." }),
        )
        .await?;
    let id = text(&order, "/id")?;
    teller.says(&format!("Carol asked for a wipe. {}", text(&order, "/what")?));
    match council.clerk.api.post(&format!("/orders/{id}/approve"), json!({})).await {
        Err(refusal) if matches!(refusal.status, 403 | 409) => {
            teller.says(&format!("She cannot approve it herself: \"{}\"", refusal.detail));
        }
        Err(other) => return Err(other),
        Ok(_) => return Err(astray("the requester approved his own order")),
    }
    council.chair.api.post(&format!("/orders/{id}/approve"), json!({})).await?;
    teller.says("Charlie, signed in on his own account, approved it. Pushed to the phone.");
    phone.wait_until(PATIENCE, |state| state.wiped).await.ok_or_else(|| astray("the phone was not wiped"))?;
    let ended = until(&council.clerk.api, &format!("/orders/{id}"), PATIENCE, |order| {
        order.get("state").and_then(Value::as_str) == Some("confirmed")
    })
    .await?;
    teller.says(&format!("The phone fetched the order and erased itself: {}.", text(&ended, "/state_words")?));
    let pushes = town.push.log().len();
    teller.says(&format!(
        "Apple's stand-in passed on {pushes} wake-ups so far, over {} connection(s).",
        town.push.connections().accepted
    ));
    council.clerk.api.post(&format!("/losses/{case}/close"), json!({ "outcome": "Wiped; police told." })).await?;
    Ok(())
}

async fn lose_and_find(teller: &Teller, town: &Town, council: &Council, lost: &Carried) -> Result<(), Refusal> {
    let (invited, phone) = lost;
    let case = report(council, invited, "somewhere in the hall").await?;
    phone
        .wait_until(PATIENCE, |state| state.lost_mode.is_some())
        .await
        .ok_or_else(|| astray("the phone did not go into Lost Mode"))?;
    teller.says(&format!(
        "{} is missing too. It is supervised, so it shows Lost Mode with the clerk's number.",
        invited.tag
    ));
    council.clerk.api.post(&format!("/losses/{case}/found"), json!({})).await?;
    phone
        .wait_until(PATIENCE, |state| state.lost_mode.is_none())
        .await
        .ok_or_else(|| astray("Lost Mode did not end"))?;
    until(&council.clerk.api, &format!("/losses/{case}"), PATIENCE, |case| {
        case.get("back_in_use_at").is_some_and(Value::is_string)
    })
    .await?;
    teller.says("It was behind the piano. Lost Mode ended, and the phone says it is back in use.");
    council.clerk.api.post(&format!("/losses/{case}/close"), json!({ "outcome": "Found." })).await?;
    let device = town.device(council, invited).await?;
    if device.pointer("/enrolment/state").and_then(Value::as_str) != Some("enrolled") {
        return Err(astray("the phone that was found is not enrolled any more"));
    }
    Ok(())
}

async fn verify(teller: &Teller, council: &Council) -> Result<(), Refusal> {
    let found = council.clerk.api.post(&format!("/councils/{}/audit/verify", council.id), json!({})).await?;
    if found.get("whole") != Some(&Value::Bool(true)) {
        return Err(astray(&format!("the audit trail does not verify: {found}")));
    }
    teller.says(&format!(
        "The audit trail verifies: {} entries, none changed, none missing.",
        found.pointer("/chains/0/rows").unwrap_or(&Value::Null)
    ));
    Ok(())
}

async fn stay(town: &Town, council: &Council) -> Result<(), Refusal> {
    println!("\nThe server stays up until you press Ctrl-C.\n");
    println!("  API documentation   {}/api/v1/docs   (self-signed certificate)", town.api.base());
    for (what, person) in [("clerk", &council.clerk), ("chair", &council.chair)] {
        print_sign_in(what, person);
    }
    println!("\n  An authenticator code now: oathtool --totp --base32 SECRET, or add the secret to an app.");
    tokio::signal::ctrl_c().await.map_err(|problem| astray(&problem.to_string()))
}

fn print_sign_in(what: &str, person: &Person) {
    println!(
        "  {what:<19} login {}   password {}   authenticator secret {}",
        person.login, person.password, person.secret
    );
}
