//! The whole trail as a file: one row of JSON a line, oldest first, with all that is needed to verify it elsewhere.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use futures_util::stream;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::CouncilId;
use crate::operations::audit;
use crate::web::console::failure::Failure;
use crate::web::console::visitor::Visitor;

/// How many rows are read at once.
const PAGE: i64 = 500;

/// The next lines, and the number of the last of them; nothing at the end.
async fn lines(app: &App, visitor: &Visitor, council: &CouncilId, after: i64) -> Result<Option<(Bytes, i64)>> {
    let council = council.clone();
    let rows = visitor
        .read(app, "export audit trail", move |tx, context| audit::export(tx, context, Some(&council), after, PAGE))
        .await?;
    let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
    let mut text = String::new();
    for row in &rows {
        text.push_str(&serde_json::to_string(row)?);
        text.push('\n');
    }
    Ok(Some((Bytes::from(text), last)))
}

/// GET: the file, read and sent piece by piece.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    let (council, slug) = (place.id, place.slug);
    let pieces = stream::try_unfold((app, visitor, council, 0), |(app, visitor, council, after)| async move {
        let piece = lines(&app, &visitor, &council, after).await?;
        Ok::<_, Error>(piece.map(|(text, last)| (text, (app, visitor, council, last))))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{slug}-audit.jsonl\"")))
        .streaming(pieces))
}
