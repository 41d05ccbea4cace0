//! The legal holds that lie on a council's devices.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::{MEANING, place_of};
use crate::app::App;
use crate::model::{HoldId, Permission};
use crate::operations::councils;
use crate::operations::holds::{self, Lying};
use crate::web::console::devices;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(in crate::web::console::settings) struct Asked {
    after: Option<HoldId>,
}

#[derive(Template)]
#[template(path = "console/holds.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    meaning: &'static str,
    lines: Vec<Lying>,
    next: Option<String>,
    may: bool,
}

impl Page {
    fn device(&self, line: &Lying) -> String {
        devices::place_of(&line.hold.device)
    }
}

/// GET: the list.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let (name, after) = (path.into_inner(), asked.into_inner().after);
    let (place, mut lines) = visitor
        .read(&app, "list holds", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            let lines = holds::lying_now(tx, context, &council, after.as_ref(), MOST as i64 + 1)?;
            Ok((Place::of(tx, &council)?, lines))
        })
        .await?;
    let more = lines.len() > MOST;
    lines.truncate(MOST);
    let here = place_of(&place);
    let page = Page {
        frame: Frame::new(&app, &visitor, "Legal holds", Some(&place))?,
        next: lines.last().filter(|_| more).map(|last| format!("{here}?after={}", last.hold.id)),
        may: visitor.may(Permission::CancelOrder, &place.id),
        meaning: MEANING,
        lines,
        here,
        place,
    };
    draw(StatusCode::OK, &page)
}
