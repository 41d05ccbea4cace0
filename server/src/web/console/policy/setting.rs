//! One setting: what each kind of phone makes of it, and the question that changes it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use beadle_profiles::coverage::{self, Row, Status};

use super::questions::{self, ERASE};
use super::{Wanted, show};
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::policies;
use crate::web::console::devices::mode_words;
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Field};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// What a kind of phone makes of it.
struct Kind {
    words: &'static str,
    status: &'static str,
    does: String,
    gap: Option<String>,
}

#[derive(Template)]
#[template(path = "console/policy_setting.html")]
struct Page {
    frame: Frame,
    place: Place,
    path: String,
    title: String,
    says: String,
    clauses: String,
    kinds: Vec<Kind>,
    fields: Vec<Field>,
}

/// GET: the setting.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (council, setting) = path.into_inner();
    let (place, may_change) = super::place_of(&app, &visitor, &council).await?;
    let wanted = Wanted { setting: Some(setting), ..Wanted::default() };
    page(&app, &visitor, &place, may_change, &wanted, &Errors::default()).await
}

fn status_words(status: Status) -> &'static str {
    match status {
        Status::Enforced => "The phone enforces it",
        Status::ReportedOnly => "The phone only reports it",
        Status::NotPossible => "Not possible on this kind of phone",
    }
}

fn kind(row: Row) -> Option<Kind> {
    // The words of both crates are the same.
    let mode: crate::model::Mode = row.mode.as_str().parse().ok()?;
    Some(Kind { words: mode_words(mode), status: status_words(row.status), does: row.phone_does, gap: row.gap })
}

/// The setting's page, with what was wrong with the answer.
pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    may_change: bool,
    wanted: &Wanted,
    errors: &Errors,
) -> Result<HttpResponse, Failure> {
    let path = wanted.setting.clone().unwrap_or_default();
    let council = place.id.clone();
    let version = visitor.read(app, "policy", move |tx, context| policies::show(tx, context, &council, None)).await?;
    let rows: Vec<Row> = coverage::coverage(&version.policy).into_iter().filter(|row| row.setting == path).collect();
    let asked = questions::find(&path);
    let first = rows.first();
    let Some(title) = first.map(|row| row.title.to_owned()).or(asked.map(|asked| asked.words.to_owned())) else {
        return Err(Error::NotFound("setting").into());
    };
    let mut fields = Vec::new();
    if let Some(asked) = asked.filter(|_| may_change) {
        let value = wanted.value.clone().unwrap_or_else(|| asked.value(&version.policy));
        fields.push(asked.field(&value));
        if path == ERASE {
            let agreed = version.policy.passcode.erase_below_ten_acknowledged.to_string();
            let tick = Field::choice(
                "acknowledged",
                "Does the council know what fewer than ten attempts mean?",
                &[("true", "Yes, the council has agreed to it"), ("false", "No")],
            );
            fields.push(
                tick.hint(
                    "After that many wrong PINs the phone erases everything on it by itself, without a way back. With fewer \
                     than ten a forgetful holder or a child can do that in a minute.",
                )
                .value(wanted.acknowledged.clone().unwrap_or(agreed)),
            );
        }
    }
    let page = Page {
        frame: Frame::new(app, visitor, title.clone(), Some(place))?.with(errors),
        says: first.map_or_else(|| "The policy does not mention it.".to_owned(), |row| row.policy_says.clone()),
        clauses: first.map(show::clauses_words).unwrap_or_default(),
        kinds: rows.into_iter().filter_map(kind).collect(),
        fields: fields.into_iter().map(|field| field.marked(errors)).collect(),
        place: place.clone(),
        path,
        title,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}
