//! Alerts: all of a council, also those that were seen to; and saying that one was.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::failure::{Failure, go, sentence};
use super::form::Sent;
use super::page::{Frame, Place, draw};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::model::{AlertId, Permission};
use crate::operations::{alerts, councils, operators};

/// How many are on one page.
const MOST: usize = 25;

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

struct Line {
    what: String,
    raised: String,
    /// When it ended and by whom; nothing while it is open.
    ended: Option<String>,
}

#[derive(Template)]
#[template(path = "console/alerts.html")]
struct Alerts {
    frame: Frame,
    back: String,
    lines: Vec<Line>,
    older: Option<String>,
}

/// GET: all alerts, newest first.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let (name, before) = (path.into_inner(), asked.into_inner().before);
    let (place, mut found, names) = visitor
        .read(&app, "list alerts", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            let found = alerts::newest(tx, context, &council, before.as_deref(), MOST as i64 + 1)?;
            let names = operators::words_of_labels(tx, found.iter().filter_map(|alert| alert.ended_by.clone()))?;
            Ok((Place::of(tx, &council)?, found, names))
        })
        .await?;
    let more = found.len() > MOST;
    found.truncate(MOST);
    let older = found.last().filter(|_| more).map(|last| format!("{}/alerts?before={}", place.home(), last.id));
    let lines = found
        .into_iter()
        .map(|alert| Line {
            what: sentence(&alert.message),
            raised: place.zone.when(alert.raised_at),
            ended: alert.ended_at.map(|at| {
                let by =
                    alert.ended_by.as_ref().and_then(|by| names.get(by)).map_or("Beadle by itself", String::as_str);
                format!("{} by {by}", place.zone.when(at))
            }),
        })
        .collect();
    let page = Alerts { frame: Frame::new(&app, &visitor, "Alerts", Some(&place))?, back: place.home(), lines, older };
    draw(StatusCode::OK, &page)
}

/// POST: ends it. What is still wrong raises a new one.
pub(super) async fn acknowledge(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = AlertId::from(path.into_inner());
    let home = visitor
        .change(&app, &sent, "acknowledge alert", move |tx, context| {
            let ended = alerts::acknowledge(tx, context, &id)?;
            Ok(Place::of(tx, &ended.council_id)?.home())
        })
        .await?;
    Ok(go(&home))
}
