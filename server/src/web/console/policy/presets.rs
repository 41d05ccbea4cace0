//! The ready-made policies that a council can start from.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use beadle_profiles::Preset;

use crate::app::App;
use crate::error::{Error, Result};
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

struct Line {
    name: String,
    title: &'static str,
    summary: &'static str,
}

#[derive(Template)]
#[template(path = "console/policy_presets.html")]
struct Page {
    frame: Frame,
    place: Place,
    lines: Vec<Line>,
}

/// GET: the choice.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let (place, may_change) = super::place_of(&app, &visitor, &path.into_inner()).await?;
    if !may_change {
        return Err(Error::forbidden("your role does not allow this").into());
    }
    let line = |preset: &Preset| Line { name: preset.to_string(), title: preset.title(), summary: preset.summary() };
    let page = Page {
        frame: Frame::new(&app, &visitor, "Start from a ready-made policy", Some(&place))?,
        lines: Preset::all().iter().map(line).collect(),
        place,
    };
    draw(StatusCode::OK, &page)
}
