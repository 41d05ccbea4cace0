//! Saying that an alert was seen to.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::failure::{Failure, go};
use super::form::Sent;
use super::page::Place;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::model::AlertId;
use crate::operations::alerts;

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
