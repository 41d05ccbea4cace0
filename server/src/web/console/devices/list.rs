//! The council's devices: found by the start of a word, or paged through, each with how it stands in words.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::words::at_a_glance;
use crate::app::App;
use crate::error::Result;
use crate::model::Permission;
use crate::operations::devices::{self, Glance};
use crate::operations::{Context, councils};
use crate::store::Transaction;
use crate::web::console::failure::Failure;
use crate::web::console::form::Errors;
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Which part of the list is wanted.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    find: Option<String>,
    after: Option<String>,
}

/// A device in the list.
struct Line {
    tag: String,
    item: String,
    holders: Vec<String>,
    serial: String,
    last_seen: String,
    standing: Vec<String>,
    place: String,
}

#[derive(Template)]
#[template(path = "console/devices.html")]
struct Page {
    frame: Frame,
    place: Place,
    asked: String,
    searched: bool,
    lines: Vec<Line>,
    /// Where the next page is.
    next: Option<String>,
    more: bool,
    may_invite: bool,
}

/// GET: the list.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let (name, asked) = (path.into_inner(), asked.into_inner());
    let council = name.clone();
    let place = visitor
        .read(&app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await?;
    let text: String = asked.find.unwrap_or_default().trim().chars().take(60).collect();
    let (search, after) = (Some(text.clone()).filter(|text| !text.is_empty()), asked.after);
    let searched = search.is_some();
    let look = move |tx: &mut Transaction<'_>, context: &Context| {
        devices::glances(tx, context, &name, search.as_deref(), after.as_deref(), MOST as i64 + 1)
    };
    let mut errors = Errors::default();
    let mut found = match visitor.read(&app, "list devices", look).await {
        Ok(found) => found,
        Err(error) => {
            errors = Errors::of(error)?;
            Vec::new()
        }
    };
    let more = found.len() > MOST;
    found.truncate(MOST);
    let last = found.last().map(|glance| glance.device.id.clone());
    let next = last.filter(|_| more && !searched).map(|id| format!("{}/devices?after={id}", place.home()));
    let now = app.clock.now();
    let page = Page {
        frame: Frame::new(&app, &visitor, "Devices", Some(&place))?.with(&errors),
        lines: found.iter().map(|glance| line(glance, &place, now)).collect(),
        may_invite: visitor.may(Permission::Register, &place.id),
        asked: text,
        searched,
        next,
        more,
        place,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

fn line(glance: &Glance, place: &Place, now: crate::model::Moment) -> Line {
    let asset = &glance.item.asset;
    Line {
        tag: asset.tag.clone(),
        item: format!("{} {}", asset.make, asset.model).trim().to_owned(),
        holders: glance.item.holders.iter().map(|holder| holder.name.clone()).collect(),
        serial: or_unknown(glance.device.serial.as_deref().or(asset.serial.as_deref())),
        last_seen: glance
            .enrolment
            .as_ref()
            .map_or_else(|| "Never".to_owned(), |enrolment| place.zone.when(enrolment.last_seen_at)),
        standing: at_a_glance(glance, place.zone, now),
        place: super::place_of(&glance.device.id),
    }
}
