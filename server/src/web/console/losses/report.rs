//! Reporting the loss, which locks at once. Nothing but the phone itself must be known for that.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, Permission};
use crate::operations::assets::{self, Shown};
use crate::operations::cases::CaseAnswer;
use crate::operations::losses::{self, NewLoss};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, or_unknown};
use crate::web::console::visitor::Visitor;

async fn asset(app: &App, visitor: &Visitor, id: &AssetId) -> Result<(Place, Shown)> {
    let id = id.clone();
    visitor
        .read(app, "item", move |tx, context| {
            let shown = assets::show(tx, context, &id)?;
            Ok((Place::of(tx, &shown.asset.council_id)?, shown))
        })
        .await
}

fn page(app: &App, visitor: &Visitor, place: &Place, shown: &Shown, errors: &Errors) -> Result<Question> {
    let asset = &shown.asset;
    let action = format!("/console/assets/{}/lost", asset.id);
    let managed = shown
        .device
        .as_ref()
        .and_then(|(_, enrolment)| enrolment.as_ref())
        .is_some_and(|enrolment| enrolment.ended_at.is_none());
    let holders: Vec<&str> =
        shown.custody.iter().filter(|held| held.until.is_none()).map(|held| held.name.as_str()).collect();
    let fields = vec![
        Field::line("reporter", "Who told you?").value(holders.join(", ")),
        Field::moment("happened_at", "When was it lost?").hint("Leave this empty if it is not known.").short(),
        Field::line("place", "Where?").most(500),
        Field::lines("circumstances", "What happened?").most(4000),
        Field::line("contact_number", "Number to show on the locked screen")
            .hint("Whoever finds the phone can ring it: the office's number, for example.")
            .most(50)
            .short(),
    ];
    let button = if managed { "Lock it now and report it lost" } else { "Report it lost" };
    let form = Form::new(&action, visitor.token(app, &action)?, button).fields(fields).optional("What is known so far");
    let frame = Frame::new(app, visitor, format!("{} is lost", asset.tag), Some(place))?.with(errors);
    let mut question = Question::new(frame, form)
        .back(format!("{}/lost", place.home()), "Choose another phone")
        .fact("Item", format!("{} {}", asset.make, asset.model).trim())
        .fact("Held by", or_unknown(Some(&holders.join(", "))))
        .fact("Number", or_unknown(asset.phone_number.as_deref()));
    question = if managed {
        question.lead("With this button the phone is locked at once. Everything else can wait: you can add it later.")
    } else {
        question.warning(
            "This item is not managed by Beadle, so it cannot be locked from here. Report it all the same, and ring the \
             mobile network.",
        )
    };
    Ok(question)
}

/// GET: the form.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let (place, shown) = asset(&app, &visitor, &AssetId::from(path.into_inner())).await?;
    if !visitor.may(Permission::Report, &place.id) {
        return Err(Error::forbidden("your role does not allow this").into());
    }
    page(&app, &visitor, &place, &shown, &Errors::default())?.answer()
}

/// POST: reports and locks.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let (place, shown) = asset(&app, &visitor, &id).await?;
    let done = match place.zone.entered("happened_at", &sent.text("happened_at")) {
        Err(error) => Err(error),
        Ok(happened_at) => {
            let new = NewLoss {
                asset: id,
                reporter: sent.text("reporter"),
                happened_at,
                place: sent.text("place"),
                circumstances: sent.text("circumstances"),
                aware_at: None,
                contact_message: String::new(),
                contact_number: sent.text("contact_number"),
                police_reference: String::new(),
            };
            visitor
                .change(&app, &sent, "report loss", move |tx, context| {
                    Ok(match losses::report(tx, context, &new)?.case {
                        CaseAnswer::Case(case) => case.id,
                        CaseAnswer::Receipt(receipt) => receipt.id,
                    })
                })
                .await
        }
    };
    match done {
        Ok(case) => Ok(go(&super::place_of(&case))),
        Err(error) => {
            let question = page(&app, &visitor, &place, &shown, &Errors::of(error)?)?;
            let form = question.form.map(|form| form.filled(&sent));
            Question { form, ..question }.answer()
        }
    }
}
