//! Locking once more, for a phone that was opened again or never answered.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::Result;
use crate::model::CaseId;
use crate::operations::losses;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::Sent;
use crate::web::console::visitor::Visitor;

/// POST: locks.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let case = id.clone();
    visitor
        .change(&app, &sent, "lock lost device", move |tx, context| losses::lock_again(tx, context, &id).map(drop))
        .await?;
    Ok(go(&super::place_of(&case)))
}
