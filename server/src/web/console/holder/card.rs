//! The holder's card: made by the clerk, shown once, printed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::app::App;
use crate::error::Result;
use crate::model::AssetId;
use crate::operations::report_codes;
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::second_factor::picture;
use crate::web::console::visitor::Visitor;

/// Someone who holds the item, with what there is of his card.
struct Holder {
    name: String,
    made: String,
    form: Form,
}

#[derive(Template)]
#[template(path = "console/cards.html")]
struct Cards {
    frame: Frame,
    holders: Vec<Holder>,
}

async fn page(app: &App, visitor: &Visitor, id: &AssetId, errors: &Errors) -> Result<HttpResponse, Failure> {
    let asked = id.clone();
    let (council, asset, cards) =
        visitor.read(app, "holders' cards", move |tx, context| report_codes::cards(tx, context, &asked)).await?;
    let place = Place::from(council);
    let action = format!("/console/assets/{id}/card");
    let mut holders = Vec::new();
    for card in cards {
        let button = if card.made_at.is_some() { "Make a new card" } else { "Make a card" };
        holders.push(Holder {
            made: place.zone.when_or(&card.made_at, "No card yet"),
            form: Form::new(&action, visitor.token(app, &action)?, button).hidden("custody", &card.custody),
            name: card.holder,
        });
    }
    let frame = Frame::new(app, visitor, format!("Cards for {}", asset.tag), Some(&place))?.with(errors);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    draw(status, &Cards { frame, holders })
}

/// GET: who holds it, and who has a card.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<AssetId>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path, &Errors::default()).await
}

#[derive(Template)]
#[template(path = "console/card.html")]
struct Card {
    frame: Frame,
    back: String,
    council: String,
    tag: String,
    item: String,
    number: Option<String>,
    holder: String,
    code: String,
    address: String,
    picture: Option<String>,
}

/// POST: makes the code and shows the card, once.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    path: Path<AssetId>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let (id, custody) = (path.clone(), sent.text("custody"));
    let (asked, of) = (id.clone(), custody.clone());
    let made = visitor
        .change(&app, &sent, "make a report code", move |tx, context| {
            report_codes::make(tx, context, &asked, &of).map(|code| code.to_string())
        })
        .await;
    let code = match made {
        Ok(code) => code,
        Err(error) => return page(&app, &visitor, &id, &Errors::of(error)?).await,
    };
    let asked = id.clone();
    let (council, asset, cards) =
        visitor.read(&app, "holder's card", move |tx, context| report_codes::cards(tx, context, &asked)).await?;
    let address = format!("{}/lost", council.public_url);
    let place = Place::from(council);
    let card = Card {
        frame: Frame::new(&app, &visitor, format!("Card for {}", asset.tag), Some(&place))?,
        back: format!("/console/assets/{id}/card"),
        council: place.name.clone(),
        item: format!("{} {}", asset.make, asset.model).trim().to_owned(),
        number: asset.phone_number,
        tag: asset.tag,
        holder: cards.into_iter().find(|card| card.custody == custody).map_or_else(String::new, |card| card.holder),
        code,
        picture: picture(&address),
        address,
    };
    draw(StatusCode::OK, &card)
}
