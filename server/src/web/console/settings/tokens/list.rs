//! A council's tokens, the newest first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::{place_of, words_of};
use crate::app::App;
use crate::model::{Moment, TokenId};
use crate::operations::{operators, tokens};
use crate::web::console::dates::Zone;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(in crate::web::console::settings) struct Asked {
    before: Option<TokenId>,
}

struct Line {
    name: String,
    scopes: Vec<String>,
    by: String,
    standing: String,
    /// Where to end it, while it works.
    end: Option<String>,
}

#[derive(Template)]
#[template(path = "console/tokens.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    lines: Vec<Line>,
    next: Option<String>,
}

fn standing(expires_at: Moment, revoked_at: Option<Moment>, now: Moment, zone: Zone) -> String {
    match revoked_at {
        Some(at) => format!("Ended on {}", zone.when(at)),
        None if expires_at <= now => format!("Ran out on {}", zone.when(expires_at)),
        None => format!("Works until {}", zone.when(expires_at)),
    }
}

/// GET: the list.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let place = super::council_of(&app, &visitor, &path.into_inner()).await?;
    let (council, before) = (place.id.clone(), asked.into_inner().before);
    let (mut found, names) = visitor
        .read(&app, "list tokens", move |tx, context| {
            let found = tokens::newest(tx, context, &council, before.as_ref(), MOST as i64 + 1)?;
            let labels = found.iter().map(|token| format!("operator:{}", token.issued_by));
            let names = operators::words_of_labels(tx, labels)?;
            Ok((found, names))
        })
        .await?;
    let more = found.len() > MOST;
    found.truncate(MOST);
    let here = place_of(&place);
    let next = found.last().filter(|_| more).map(|last| format!("{here}?before={}", last.id));
    let now = app.clock.now();
    let lines = found.into_iter().map(|token| Line {
        scopes: token.scopes.split_whitespace().map(|scope| words_of(scope).to_owned()).collect(),
        by: names.get(&format!("operator:{}", token.issued_by)).cloned().unwrap_or_default(),
        standing: standing(token.expires_at, token.revoked_at, now, place.zone),
        end: (token.revoked_at.is_none() && token.expires_at > now)
            .then(|| format!("/console/tokens/{}/end", token.id)),
        name: token.name,
    });
    let page = Page {
        lines: lines.collect(),
        frame: Frame::new(&app, &visitor, "Tokens for programs", Some(&place))?,
        here,
        next,
        place,
    };
    draw(StatusCode::OK, &page)
}
