//! Finding the device that is to be put under a legal hold: by holder, tag or serial number.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::assets::{self, Wanted};
use crate::operations::{Context, councils};
use crate::store::Transaction;
use crate::web::console::devices;
use crate::web::console::failure::Failure;
use crate::web::console::form::Errors;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are shown; with more, one more letter finds fewer.
const MOST: usize = 20;

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(in crate::web::console::settings) struct Asked {
    find: Option<String>,
}

/// An item that was found.
struct Match {
    tag: String,
    item: String,
    holders: Vec<String>,
    /// Where to put its device under a hold; none when it is no device.
    hold: Option<String>,
}

#[derive(Template)]
#[template(path = "console/hold_find.html")]
struct Page {
    frame: Frame,
    here: String,
    asked: String,
    /// Nothing until something was looked for.
    found: Option<Vec<Match>>,
    more: bool,
}

fn look(tx: &mut Transaction<'_>, context: &Context, council: &str, text: String) -> Result<Vec<Match>> {
    let wanted = Wanted { search: Some(text), ..Wanted::default() };
    let listed = assets::list(tx, context, council, &wanted, None, MOST as i64 + 1)?;
    let found = listed.into_iter().map(|listed| {
        let shown = assets::show(tx, context, &listed.asset.id)?;
        Ok(Match {
            hold: shown.device.map(|(device, _)| format!("{}/hold", devices::place_of(&device.id))),
            holders: listed.holders.into_iter().map(|holder| holder.name).collect(),
            item: format!("{} {}", listed.asset.make, listed.asset.model).trim().to_owned(),
            tag: listed.asset.tag,
        })
    });
    found.collect()
}

/// GET: the search, and what it found.
pub(in crate::web::console::settings) async fn show(
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
    if !visitor.may(Permission::CancelOrder, &place.id) {
        return Err(Error::forbidden("your role does not allow this").into());
    }
    let (mut errors, mut found) = (Errors::default(), None);
    if asked.is_some() && text.is_empty() {
        errors = Errors::one("find", "Enter a name, a tag or a serial number");
    } else if asked.is_some() {
        match visitor.read(&app, "find item", move |tx, context| look(tx, context, &name, wanted)).await {
            Ok(matches) => found = Some(matches),
            Err(error) => errors = Errors::of(error)?,
        }
    }
    let more = found.as_ref().is_some_and(|found: &Vec<Match>| found.len() > MOST);
    if let Some(found) = &mut found {
        found.truncate(MOST);
    }
    let title = "Which device must not be erased?";
    let frame = Frame::new(&app, &visitor, title, Some(&place))?.with(&errors);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    draw(status, &Page { frame, here: place_of(&place), asked: text, found, more })
}
