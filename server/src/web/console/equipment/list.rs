//! The register: found by tag, holder or number, or paged through, in use or disposed of.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::{kind_word, place_of};
use crate::app::App;
use crate::error::Result;
use crate::model::{Ownership, Permission};
use crate::operations::assets::{self, Listed, Wanted, Which};
use crate::operations::{Context, councils};
use crate::store::Transaction;
use crate::web::console::failure::Failure;
use crate::web::console::form::Errors;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Which part of the register is wanted.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    find: Option<String>,
    after: Option<String>,
    state: Option<String>,
}

/// An item in the list.
struct Line {
    tag: String,
    place: String,
    item: String,
    kind: &'static str,
    holders: Vec<String>,
    notes: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/equipment.html")]
struct Page {
    frame: Frame,
    place: Place,
    asked: String,
    searched: bool,
    /// The parts of the register: address, words, and whether it is this one.
    states: Vec<(String, &'static str, bool)>,
    lines: Vec<Line>,
    next: Option<String>,
    more: bool,
    may_add: bool,
}

/// The parts of the register, the first where none is asked for.
const STATES: [(&str, &str, Which); 3] =
    [("in-use", "In use", Which::InUse), ("disposed", "Disposed of", Which::Disposed), ("all", "All", Which::All)];

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
    let search = Some(text.clone()).filter(|text| !text.is_empty());
    let searched = search.is_some();
    let (state, _, which) =
        STATES.into_iter().find(|(name, ..)| asked.state.as_deref() == Some(name)).unwrap_or(STATES[0]);
    let (after, wanted) = (asked.after, Wanted { search, which, ..Wanted::default() });
    let look = move |tx: &mut Transaction<'_>, context: &Context| -> Result<Vec<Listed>> {
        assets::list(tx, context, &name, &wanted, after.as_deref(), MOST as i64 + 1)
    };
    let mut errors = Errors::default();
    let mut found = match visitor.read(&app, "list equipment", look).await {
        Ok(found) => found,
        Err(error) => {
            errors = Errors::of(error)?;
            Vec::new()
        }
    };
    let more = found.len() > MOST;
    found.truncate(MOST);
    let here = format!("{}/equipment", place.home());
    let last = found.last().map(|listed| listed.asset.id.clone()).filter(|_| more && !searched);
    let page = Page {
        frame: Frame::new(&app, &visitor, "Equipment", Some(&place))?.with(&errors),
        states: STATES
            .into_iter()
            .map(|(name, words, _)| (format!("{here}?state={name}"), words, !searched && name == state))
            .collect(),
        lines: found.into_iter().map(|listed| line(listed, &place)).collect(),
        next: last.map(|id| format!("{here}?state={state}&after={id}")),
        may_add: visitor.may(Permission::Register, &place.id),
        asked: text,
        searched,
        more,
        place,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

fn line(listed: Listed, place: &Place) -> Line {
    let Listed { asset, holders } = listed;
    Line {
        place: place_of(&asset.id),
        item: format!("{} {}", asset.make, asset.model).trim().to_owned(),
        kind: kind_word(&asset.kind),
        holders: holders.into_iter().map(|holder| holder.name).collect(),
        notes: [
            asset.disposed_at.map(|at| format!("Disposed of on {}", place.zone.when(at))),
            (asset.ownership == Ownership::Personal).then(|| "Its holder\u{2019}s own".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect(),
        tag: asset.tag,
    }
}
