//! What waits to be decided, and what was approved and is under way.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::failure::Failure;
use super::page::{Frame, Place, draw};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::model::{OrderState, Permission};
use crate::operations::orders::{self, OrderView};
use crate::operations::{attention, councils};

#[derive(Template)]
#[template(path = "console/approvals.html")]
struct Approvals {
    frame: Frame,
    place: Place,
    waiting: Vec<OrderView>,
    under_way: Vec<OrderView>,
}

/// GET: the list.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let (place, found) = visitor
        .read(&app, "list approvals", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            Ok((Place::of(tx, &council)?, orders::unended(tx, context, &council, attention::MOST * 5)?))
        })
        .await?;
    let (waiting, under_way) = found.into_iter().partition(|order: &OrderView| order.state == OrderState::Requested);
    let frame = Frame::new(&app, &visitor, "Orders to erase a phone", Some(&place))?;
    draw(StatusCode::OK, &Approvals { frame, place, waiting, under_way })
}
