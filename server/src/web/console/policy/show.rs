//! The policy in force: each setting with the clauses it serves, what the policy says, and where phones fall short.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use beadle_profiles::coverage::{self, Choice, Row};

use super::questions;
use crate::app::App;
use crate::error::Result;
use crate::operations::operators;
use crate::operations::policies::{self, Version};
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// A setting in the list.
struct Line {
    path: &'static str,
    title: &'static str,
    clauses: String,
    says: String,
    open: bool,
    /// Whether some kind of phone does less than the policy says.
    gaps: usize,
    unmet: i64,
}

#[derive(Template)]
#[template(path = "console/policy.html")]
struct Page {
    frame: Frame,
    place: Place,
    version: Version,
    changed_at: String,
    lines: Vec<Line>,
    quiet: Vec<(&'static str, &'static str)>,
    may_change: bool,
}

pub(super) fn clauses_words(row: &Row) -> String {
    let mut words = Vec::new();
    for clause in &row.clauses {
        words.push(format!("{} {}", clause.document, clause.number));
    }
    words.join(", ")
}

/// GET: the policy.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let (place, may_change) = super::place_of(&app, &visitor, &path.into_inner()).await?;
    let council = place.id.clone();
    let (version, unmet) = visitor
        .read(&app, "policy", move |tx, context| {
            let mut version = policies::show(tx, context, &council, None)?;
            let by = version.changed_by.clone();
            if let Some(name) = operators::words_of_labels(tx, [by.clone()])?.remove(&by) {
                version.changed_by = name;
            }
            Ok((version, policies::unmet(tx, context, &council)?))
        })
        .await?;
    let rows = coverage::coverage(&version.policy);
    let mut lines: Vec<Line> = Vec::new();
    for row in &rows {
        let gap = usize::from(row.gap.is_some() && row.choice == Choice::Asked);
        match lines.last_mut().filter(|line| line.path == row.setting) {
            Some(line) => line.gaps += gap,
            None => lines.push(Line {
                path: row.setting,
                title: row.title,
                clauses: clauses_words(row),
                says: row.policy_says.clone(),
                open: row.choice == Choice::Open,
                gaps: gap,
                unmet: unmet.iter().find(|(setting, _)| setting == row.setting).map_or(0, |(_, phones)| *phones),
            }),
        }
    }
    let quiet = questions::QUESTIONS.iter().filter(|asked| !lines.iter().any(|line| line.path == asked.path));
    let page = Page {
        frame: Frame::new(&app, &visitor, "Policy", Some(&place))?,
        quiet: quiet.map(|asked| (asked.path, asked.words)).collect(),
        changed_at: version.changed_at.map(|at| place.zone.when(at)).unwrap_or_default(),
        place,
        version,
        lines,
        may_change,
    };
    draw(StatusCode::OK, &page)
}
