//! The versions of the policy: who changed what, when and why, and the way back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::{Changed, changed};
use crate::app::App;
use crate::error::Result;
use crate::operations::{operators, policies};
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: i64 = 10;

/// Which part of the history is wanted.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

struct Line {
    version: i64,
    at: String,
    by: String,
    note: String,
    changes: Vec<Changed>,
    in_force: bool,
}

#[derive(Template)]
#[template(path = "console/policy_history.html")]
struct Page {
    frame: Frame,
    place: Place,
    lines: Vec<Line>,
    next: Option<i64>,
    may_change: bool,
}

/// GET: the versions, newest first.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let (place, may_change) = super::place_of(&app, &visitor, &path.into_inner()).await?;
    let (council, before) = (place.id.clone(), asked.before.as_deref().and_then(|before| before.parse().ok()));
    let mut found = visitor
        .read(&app, "policy history", move |tx, context| {
            let mut found = policies::history(tx, context, &council, before, MOST + 1)?;
            let names = operators::words_of_labels(tx, found.iter().map(|line| line.changed_by.clone()))?;
            for line in &mut found {
                if let Some(name) = names.get(&line.changed_by) {
                    line.changed_by.clone_from(name);
                }
            }
            Ok(found)
        })
        .await?;
    let more = found.len() as i64 > MOST;
    found.truncate(MOST as usize);
    let next = found.last().filter(|_| more).map(|line| line.version);
    let lines = found.into_iter().enumerate().map(|(number, line)| Line {
        version: line.version,
        at: place.zone.when(line.changed_at),
        by: line.changed_by,
        note: line.note,
        changes: changed(&line.differences),
        in_force: number == 0 && before.is_none(),
    });
    let page = Page {
        frame: Frame::new(&app, &visitor, "Versions of the policy", Some(&place))?,
        lines: lines.collect(),
        place,
        next,
        may_change,
    };
    draw(StatusCode::OK, &page)
}
