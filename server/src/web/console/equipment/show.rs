//! One item: what it is, who holds it and held it, and what can be done with it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{is_managed, kind_word, place_of};
use crate::app::App;
use crate::model::{AssetId, CaseKind, Ownership, Permission};
use crate::operations::assets::{Holder, Shown};
use crate::store::faults::Fault;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::people;
use crate::web::console::visitor::Visitor;

#[derive(Template)]
#[template(path = "console/item.html")]
struct Page {
    frame: Frame,
    place: Place,
    headline: String,
    facts: Vec<(&'static str, String)>,
    note: String,
    backup: String,
    faults: Vec<Fault>,
    /// Whether faults may be written down.
    may_note: bool,
    here: String,
    holds: Vec<Holder>,
    held: Vec<Holder>,
    /// The device that it is.
    device: Option<(String, &'static str)>,
    steps: Vec<(String, &'static str)>,
}

/// GET: the page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let (place, shown) =
        visitor.read(&app, "show item", move |tx, context| super::with_council(tx, context, &id)).await?;
    let device = shown.device.as_ref().map(|(device, _)| {
        let words =
            if is_managed(&shown) { "What it reports" } else { "What it reported while it was under management" };
        (format!("/console/devices/{}", device.id), words)
    });
    let (headline, facts, steps) = (headline(&shown, &place), facts(&shown, &place), steps(&visitor, &place, &shown));
    let (holds, mut held): (Vec<Holder>, Vec<Holder>) =
        shown.custody.into_iter().partition(|held| held.until.is_none());
    held.reverse();
    let page = Page {
        frame: Frame::new(&app, &visitor, shown.asset.tag, Some(&place))?,
        here: place_of(&shown.asset.id),
        may_note: shown.asset.disposed_at.is_none() && visitor.may(Permission::Register, &place.id),
        note: shown.asset.note,
        backup: shown.asset.backup_note,
        faults: shown.faults,
        headline,
        facts,
        holds,
        held,
        device,
        steps,
        place,
    };
    draw(StatusCode::OK, &page)
}

fn headline(shown: &Shown, place: &Place) -> String {
    if let Some(at) = shown.asset.disposed_at {
        return format!("Disposed of on {}.", place.zone.when(at));
    }
    let open = |kind: CaseKind| shown.cases.iter().any(|case| case.kind == kind);
    if open(CaseKind::Loss) {
        return "Reported lost.".to_owned();
    }
    if open(CaseKind::Leaver) {
        return "Being returned.".to_owned();
    }
    let held = shown.custody.iter().any(|held| held.until.is_none());
    match (held, is_managed(shown)) {
        (true, true) => "In use, under management.",
        (true, false) => "In use, not under management.",
        (false, true) => "Nobody holds it. It is under management.",
        (false, false) => "Nobody holds it. It is not under management.",
    }
    .to_owned()
}

fn facts(shown: &Shown, place: &Place) -> Vec<(&'static str, String)> {
    let asset = &shown.asset;
    vec![
        ("Kind", kind_word(&asset.kind).to_owned()),
        ("Make and model", format!("{} {}", asset.make, asset.model).trim().to_owned()),
        (
            "Whose it is",
            match asset.ownership {
                Ownership::Council => "The council\u{2019}s",
                Ownership::Personal => "Its holder\u{2019}s own",
            }
            .to_owned(),
        ),
        ("Serial number", or_unknown(asset.serial.as_deref())),
        ("IMEI", or_unknown(asset.imei.as_deref())),
        ("SIM", or_unknown(asset.sim.as_deref())),
        ("Telephone number", or_unknown(asset.phone_number.as_deref())),
        ("On the register since", place.zone.when(asset.created_at)),
    ]
}

fn steps(visitor: &Visitor, place: &Place, shown: &Shown) -> Vec<(String, &'static str)> {
    let (asset, here) = (&shown.asset, place_of(&shown.asset.id));
    let mut steps = Vec::new();
    for case in &shown.cases {
        steps.push(match case.kind {
            CaseKind::Loss => (format!("/console/losses/{}", case.id), "Go on with this loss"),
            CaseKind::Leaver => (people::place_of_leaver(&case.id), "Look at its return"),
        });
    }
    if asset.disposed_at.is_some() {
        return steps;
    }
    if !shown.cases.iter().any(|case| case.kind == CaseKind::Loss) && visitor.may(Permission::Report, &place.id) {
        steps.push((format!("{here}/lost"), "Report it lost"));
    }
    if !visitor.may(Permission::Register, &place.id) {
        return steps;
    }
    let held = shown.custody.iter().any(|held| held.until.is_none());
    steps.push((format!("{here}/hand-over"), "Hand it to somebody"));
    if held {
        steps.push((format!("{here}/take-back"), "Take it back"));
        steps.push((format!("{here}/card"), "Make a card for its holder"));
    }
    steps.push((format!("{here}/change"), "Change what is written about it"));
    steps.push((format!("{here}/dispose"), "Dispose of it"));
    steps
}
