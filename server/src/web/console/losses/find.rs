//! Finding the phone that was lost: by holder, tag or number.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::model::{CaseKind, Permission};
use crate::operations::assets::{self, Wanted};
use crate::operations::{Context, councils};
use crate::store::Transaction;
use crate::web::console::failure::Failure;
use crate::web::console::form::Errors;
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::visitor::Visitor;

/// How many are shown; with more, one more letter finds fewer.
const MOST: usize = 20;

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(in crate::web::console) struct Asked {
    find: Option<String>,
}

/// An item that was found.
struct Match {
    tag: String,
    item: String,
    holders: Vec<String>,
    number: String,
    managed: bool,
    report: String,
    /// The case, if it is reported already.
    case: Option<String>,
}

#[derive(Template)]
#[template(path = "console/find.html")]
struct Find {
    frame: Frame,
    place: Place,
    asked: String,
    /// Nothing until something was looked for.
    found: Option<Vec<Match>>,
    more: bool,
}

/// GET: the search, and what it found.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let (name, asked) = (path.into_inner(), asked.into_inner().find);
    let text = asked.as_deref().unwrap_or_default().trim().chars().take(60).collect::<String>();
    let (wanted, council_name) = (text.clone(), name.clone());
    let place = visitor
        .read(&app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &council_name, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await?;
    let mut errors = Errors::default();
    let mut found = None;
    if asked.is_some() && text.is_empty() {
        errors = Errors::one("find", "Enter a name, a tag or a number");
    } else if asked.is_some() {
        let looked = visitor.read(&app, "find item", move |tx, context| look(tx, context, &name, wanted)).await;
        match looked {
            Ok(matches) => found = Some(matches),
            Err(error) => errors = Errors::of(error)?,
        }
    }
    let more = found.as_ref().is_some_and(|found: &Vec<Match>| found.len() > MOST);
    if let Some(found) = &mut found {
        found.truncate(MOST);
    }
    let frame = Frame::new(&app, &visitor, "Which phone is lost?", Some(&place))?.with(&errors);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    draw(status, &Find { frame, place, asked: text, found, more })
}

fn look(tx: &mut Transaction<'_>, context: &Context, council: &str, text: String) -> Result<Vec<Match>> {
    let wanted = Wanted { search: Some(text), ..Wanted::default() };
    let listed = assets::list(tx, context, council, &wanted, None, MOST as i64 + 1)?;
    listed
        .into_iter()
        .map(|listed| {
            let shown = assets::show(tx, context, &listed.asset.id)?;
            let case = shown.cases.iter().find(|case| case.kind == CaseKind::Loss);
            let live = shown.device.as_ref().and_then(|(_, enrolment)| enrolment.as_ref());
            let reported = shown.device.as_ref().and_then(|(device, _)| device.phone_number.as_deref());
            Ok(Match {
                report: format!("/console/assets/{}/lost", listed.asset.id),
                case: case.map(|case| super::place_of(&case.id)),
                managed: live.is_some_and(|enrolment| enrolment.ended_at.is_none()),
                number: or_unknown(listed.asset.phone_number.as_deref().or(reported)),
                holders: listed.holders.into_iter().map(|holder| holder.name).collect(),
                item: format!("{} {}", listed.asset.make, listed.asset.model).trim().to_owned(),
                tag: listed.asset.tag,
            })
        })
        .collect()
}
