//! The council's people: found by the start of a name, or paged through.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use crate::app::App;
use crate::model::Permission;
use crate::operations::people;
use crate::web::console::failure::Failure;
use crate::web::console::form::Errors;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Which part of the list is wanted.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    find: Option<String>,
    after: Option<String>,
    /// Those who have left, too.
    left: Option<String>,
}

/// Somebody in the list.
struct Line {
    name: String,
    place: String,
    reach: Vec<String>,
    notes: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/people.html")]
struct Page {
    frame: Frame,
    place: Place,
    asked: String,
    searched: bool,
    left_too: bool,
    lines: Vec<Line>,
    next: Option<String>,
    more: bool,
    may_add: bool,
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
        .read(&app, "council", move |tx, context| super::council(tx, context, &council, Permission::Read))
        .await?;
    let text: String = asked.find.unwrap_or_default().trim().chars().take(60).collect();
    let (search, after, left_too) = (text.clone(), asked.after, asked.left.is_some());
    let searched = !text.is_empty();
    let looked = visitor
        .read(&app, "list people", move |tx, context| {
            if searched {
                people::find(tx, context, &name, &search, MOST as i64 + 1)
            } else {
                people::list(tx, context, &name, left_too, after.as_deref(), MOST as i64 + 1)
            }
        })
        .await;
    let mut errors = Errors::default();
    let mut found = match looked {
        Ok(found) => found,
        Err(error) => {
            errors = Errors::of(error)?;
            Vec::new()
        }
    };
    let more = found.len() > MOST;
    found.truncate(MOST);
    let last = found.last().map(|person| person.id.clone()).filter(|_| more && !searched);
    let left = if left_too { "&left=1" } else { "" };
    let next = last.map(|id| format!("{}/people?after={id}{left}", place.home()));
    let lines = found.into_iter().map(|person| Line {
        place: super::place_of(&person.id),
        reach: person.email.into_iter().chain(person.phone).collect(),
        notes: [
            person.council_device_only.then(|| "Council devices only".to_owned()),
            person.ended_at.map(|at| format!("Left on {}", place.zone.when(at))),
        ]
        .into_iter()
        .flatten()
        .collect(),
        name: person.name,
    });
    let page = Page {
        frame: Frame::new(&app, &visitor, "People", Some(&place))?.with(&errors),
        lines: lines.collect(),
        may_add: visitor.may(Permission::Register, &place.id),
        asked: text,
        searched,
        left_too,
        next,
        more,
        place,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}
