//! The way in: a council's own people go to its first page, the provider chooses a council.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use super::failure::{Failure, go};
use super::page::{Frame, Place, draw};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::operations::councils;

/// How many councils one page lists.
const MOST: i64 = 50;

#[derive(Template)]
#[template(path = "console/councils.html")]
struct Councils {
    frame: Frame,
    councils: Vec<Place>,
    next: Option<String>,
}

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    after: Option<String>,
}

/// GET: the provider's councils, or on to one's own.
pub(super) async fn show(app: Data<App>, visitor: Visitor, asked: Query<Asked>) -> Result<HttpResponse, Failure> {
    if let Some(own) = visitor.signed_in.council.clone() {
        let place = visitor.read(&app, "own council", move |tx, _| Place::of(tx, &own)).await?;
        return Ok(go(&place.home()));
    }
    let after = asked.into_inner().after;
    let mut found: Vec<Place> = visitor
        .read(&app, "list councils", move |tx, context| {
            Ok(councils::list(tx, context, after.as_deref(), MOST + 1)?.into_iter().map(Place::from).collect())
        })
        .await?;
    let more = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    let next = if more { found.last().map(|last| last.id.to_string()) } else { None };
    let frame = Frame::new(&app, &visitor, "Councils", None)?;
    draw(StatusCode::OK, &Councils { frame, councils: found, next })
}
