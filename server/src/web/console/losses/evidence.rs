//! The evidence of a loss: one page to print, and the same as a file, tied to each other by the file's SHA-256.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::place_of;
use crate::app::App;
use crate::error::Result;
use crate::keys::sha256_hex;
use crate::model::{BreachDecision, CaseId, Ownership};
use crate::operations::losses::{self, Evidence, Particulars, WitnessRow};
use crate::web::console::audit::detail_words;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::page::{Frame, Place, Question, draw, or_unknown};
use crate::web::console::visitor::Visitor;

/// A row of the trail as the page tells it.
struct Line {
    row: WitnessRow,
    what: String,
    by: String,
    details: String,
    proof: &'static str,
    good: bool,
}

#[derive(Template)]
#[template(path = "console/evidence.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    evidence: Evidence,
    stands: String,
    /// The item and the phone, as the register and the phone itself have them.
    item: Vec<(&'static str, String)>,
    device: Vec<(&'static str, String)>,
    decision: &'static str,
    lines: Vec<Line>,
    /// What was found of the chain.
    proof: Vec<String>,
    whole: bool,
    made_at: String,
    made_by: String,
    sha256: String,
}

/// Which file is wanted: that of a page that was shown.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::web::console) struct Asked {
    row: Option<String>,
    sha256: Option<String>,
}

async fn gather(app: &App, visitor: &Visitor, id: &CaseId, until: Option<i64>) -> Result<(Place, Evidence)> {
    let case = id.clone();
    visitor
        .read(app, "evidence of a loss", move |tx, context| {
            let evidence = losses::evidence(tx, context, &case, until)?;
            Ok((Place::of(tx, &evidence.council.id)?, evidence))
        })
        .await
}

fn line(row: &WitnessRow) -> Line {
    let (proof, good) = match (row.as_written, row.particulars_are) {
        (false, _) => {
            ("Not proven: this row, or the one before it, was changed, taken away, or put there by hand.", false)
        }
        (true, Particulars::Changed) => ("The row is as it was written, but its particulars were changed.", false),
        (true, Particulars::NotKept) => ("The row is as it was written. Its particulars are not kept any more.", true),
        (true, Particulars::AsWritten) => ("The row and its particulars are as they were written.", true),
    };
    let by = match (&row.by, row.particulars_are) {
        (Some(by), _) => by.clone(),
        (None, Particulars::NotKept) => "somebody whose name is not kept any more".to_owned(),
        (None, _) => "somebody: the trail does not prove who".to_owned(),
    };
    let details = row.details().as_ref().map(detail_words).unwrap_or_default();
    Line { what: sentence(&row.what), by, details, proof, good, row: row.clone() }
}

fn proof(evidence: &Evidence) -> Vec<String> {
    let trail = &evidence.trail;
    let (Some(first), Some(checked)) = (trail.first_row, trail.checked_to) else { return Vec::new() };
    let mut words = vec![format!("Rows {first} to {checked} were checked one after the other. Earlier rows were not.")];
    if checked < trail.until_row {
        words.push(format!(
            "Rows {} to {} were not: there are too many for this page. Verify the whole trail under Audit.",
            checked + 1,
            trail.until_row
        ));
    } else if trail.reaches_sealed_end {
        words.push("From there the trail was followed to its sealed end: no row is missing there.".to_owned());
    } else {
        words.push("Its sealed end was not reached. Verify the whole trail under Audit.".to_owned());
    }
    words
}

fn item(evidence: &Evidence) -> Vec<(&'static str, String)> {
    let item = &evidence.item;
    vec![
        ("Tag", item.tag.clone()),
        ("Kind", item.kind.clone()),
        ("Make and model", or_unknown(Some(format!("{} {}", item.make, item.model).trim()))),
        ("Belongs to", if item.ownership == Ownership::Council { "The council" } else { "The holder" }.to_owned()),
        ("Held by", or_unknown(Some(&evidence.people.holders.join(", ")))),
        ("Serial number", or_unknown(item.serial.as_deref())),
        ("IMEI", or_unknown(item.imei.as_deref())),
        ("SIM", or_unknown(item.sim.as_deref())),
        ("Telephone number", or_unknown(item.phone_number.as_deref())),
    ]
}

fn device(evidence: &Evidence, place: &Place) -> Vec<(&'static str, String)> {
    let Some(device) = &evidence.device else { return Vec::new() };
    let mut facts = vec![
        ("Model", or_unknown(device.product.as_deref())),
        ("System", or_unknown(device.os_version.as_deref())),
        ("Serial number", or_unknown(device.serial.as_deref())),
        ("IMEI", or_unknown(device.imei.as_deref())),
        ("SIM", or_unknown(device.sim.as_deref())),
        ("Telephone number", or_unknown(device.phone_number.as_deref())),
        ("Managed since", place.zone.when_or(&device.enrolled_at, "Not known")),
        ("Last heard from", place.zone.when_or(&device.last_seen_at, "Not known")),
    ];
    if let Some(at) = device.management_ended_at {
        facts.push(("Management ended", place.zone.when(at)));
    }
    facts
}

/// GET: the page.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let (place, evidence) = gather(&app, &visitor, &CaseId::from(path.into_inner()), None).await?;
    let decision = evidence.breach.as_ref().map_or(BreachDecision::Undecided, |breach| breach.decision);
    let title = format!("{}: evidence of this loss", evidence.case.asset_tag);
    let page = Page {
        frame: Frame::new(&app, &visitor, title, Some(&place))?,
        here: place_of(&evidence.case.id),
        stands: sentence(&evidence.case.state_words),
        item: item(&evidence),
        device: device(&evidence, &place),
        decision: super::breach::words(decision),
        lines: evidence.trail.rows.iter().map(line).collect(),
        proof: proof(&evidence),
        whole: evidence.trail.is_whole(),
        made_at: place.zone.when(app.clock.now()),
        made_by: visitor.signed_in.name.clone(),
        sha256: sha256_hex(evidence.file()?.as_bytes()),
        place,
        evidence,
    };
    draw(StatusCode::OK, &page)
}

/// GET: the file; that of a page, only as long as it is still the same.
pub(in crate::web::console) async fn file(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let asked = asked.into_inner();
    let until = asked.row.and_then(|row| row.parse().ok());
    let (place, evidence) = gather(&app, &visitor, &CaseId::from(path.into_inner()), until).await?;
    let (here, text) = (place_of(&evidence.case.id), evidence.file()?);
    if asked.sha256.is_some_and(|asked| asked != sha256_hex(text.as_bytes())) {
        let title = format!("{}: this has changed since", evidence.case.asset_tag);
        let question = Question::plain(Frame::new(&app, &visitor, title, Some(&place))?)
            .lead(
                "Something about this loss has changed since the page was made: the phone was heard from, for example. \
                 The file would no longer be the one on your print.",
            )
            .link(format!("{here}/evidence"), "Make the evidence anew: print it, then take the file");
        return draw(StatusCode::CONFLICT, &question);
    }
    let name = format!("attachment; filename=\"loss-{}.json\"", evidence.case.id);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CONTENT_DISPOSITION, name))
        .body(text))
}
