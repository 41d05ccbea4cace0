//! What happened, newest first, in words.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::audit::{self, ExportedRow, Wanted};
use crate::operations::cases::timeline;
use crate::operations::operators;
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Form};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 50;
/// How much of a row's particulars is shown; the file has all of them.
const MOST_DETAIL: usize = 300;

/// Which part of the trail is wanted.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
    tag: Option<String>,
    until: Option<String>,
}

struct Line {
    number: i64,
    words: String,
    at: String,
    by: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct Page {
    frame: Frame,
    place: Place,
    tag: String,
    until: String,
    lines: Vec<Line>,
    next: Option<String>,
    verify: Form,
}

/// What a row is about, in words: its own where it has some, else its kind.
fn words_of(kind: &str) -> String {
    let words = timeline::words_of(kind).map_or_else(|| kind.replace(['.', '_'], " "), |(words, _)| words.to_owned());
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// The label of who did it, from a row's particulars.
fn label(row: &ExportedRow) -> Option<String> {
    row.details.as_ref()?.get("by")?.as_str().map(str::to_owned)
}

/// A row's particulars, in words, all of them.
pub(in crate::web::console) fn detail_words(details: &Value) -> String {
    let inner = details.get("details").cloned().unwrap_or_default();
    let Value::Object(fields) = inner else { return String::new() };
    let told = fields.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}: {value}", name.replace('_', " "))
    });
    told.collect::<Vec<_>>().join("; ")
}

fn line(row: ExportedRow, place: &Place, names: &BTreeMap<String, String>) -> Line {
    let by = label(&row).and_then(|label| names.get(&label).cloned());
    let by = by.unwrap_or_else(|| "somebody whose name is not kept any more".to_owned());
    let detail = row.details.as_ref().map(detail_words).unwrap_or_default().chars().take(MOST_DETAIL).collect();
    Line { number: row.seq, words: words_of(&row.kind), at: place.zone.when(row.at), by, detail }
}

/// GET: the trail.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    let asked = asked.into_inner();
    let short = |text: Option<String>| text.unwrap_or_default().trim().chars().take(60).collect::<String>();
    let (tag, until) = (short(asked.tag), short(asked.until));
    let mut errors = Errors::default();
    let mut wanted = Wanted {
        before: asked.before.and_then(|before| before.parse().ok()),
        tag: Some(tag.clone()).filter(|tag| !tag.is_empty()),
        until: None,
    };
    if !until.is_empty() {
        match place.zone.end_of_day(&until) {
            Some(moment) => wanted.until = Some(moment),
            None => errors = Errors::one("until", "Enter a date, such as 2026-11-21"),
        }
    }
    let council = place.id.clone();
    let found = visitor
        .read(&app, "audit trail", move |tx, context| {
            let rows = audit::read(tx, context, &council, &wanted, MOST as i64 + 1)?;
            let names = operators::words_of_labels(tx, rows.iter().filter_map(label))?;
            Ok((rows, names))
        })
        .await;
    let (mut rows, names) = match found {
        Ok(found) if errors.is_empty() => found,
        Ok(_) => (Vec::new(), BTreeMap::new()),
        Err(Error::NotFound("item")) => {
            errors = Errors::one("tag", "No item of the register has this tag");
            (Vec::new(), BTreeMap::new())
        }
        Err(error) => return Err(error.into()),
    };
    let more = rows.len() > MOST;
    rows.truncate(MOST);
    let last = rows.last().filter(|_| more).map(|row| row.seq.to_string());
    let next = last.map(|last| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("before", &last).append_pair("tag", &tag).append_pair("until", &until);
        format!("{}/audit?{}", place.home(), query.finish())
    });
    let verify = format!("{}/audit/verify", place.home());
    let page = Page {
        frame: Frame::new(&app, &visitor, "Audit trail", Some(&place))?.with(&errors),
        lines: rows.into_iter().map(|row| line(row, &place, &names)).collect(),
        verify: Form::new(&verify, visitor.token(&app, &verify)?, "Verify the trail").second(),
        tag,
        until,
        next,
        place,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}
