//! Whether the loss is a breach of personal data: what the phone likely holds, what was decided, and why.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{BreachDecision, CaseId, Permission};
use crate::operations::cases::CaseDetail;
use crate::operations::losses::{self, Standing};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

/// What was decided, in words.
pub(super) fn words(decision: BreachDecision) -> &'static str {
    match decision {
        BreachDecision::Undecided => "Not decided yet",
        BreachDecision::Notify => "The Information Commissioner is told",
        BreachDecision::DoNotNotify => "The Information Commissioner need not be told",
    }
}

async fn page(app: &App, visitor: &Visitor, id: &CaseId, errors: &Errors) -> Result<Question> {
    let case = id.clone();
    let (place, detail, standing): (Place, CaseDetail, Standing) = visitor
        .read(app, "show breach", move |tx, context| {
            let (place, detail) = super::with_council(tx, context, &case)?;
            Ok((place, detail, losses::standing(tx, context, &case)?))
        })
        .await?;
    if !visitor.may(Permission::Report, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let (known, zone) = (standing.breach, place.zone);
    let decision = known.as_ref().map_or(BreachDecision::Undecided, |known| known.decision);
    let of = |text: fn(&losses::Breach) -> &String| known.as_ref().map(text).cloned().unwrap_or_default();
    let action = format!("{}/breach", super::place_of(id));
    let choices: Vec<(&'static str, &'static str)> =
        BreachDecision::ALL.iter().map(|choice| (choice.as_str(), words(*choice))).collect();
    let fields = vec![
        Field::lines("data_held", "What personal data is likely on the phone?")
            .hint("For example: council e-mail, residents' letters, photographs.")
            .value(of(|known| &known.data_held)),
        Field::choice("decision", "What has the council decided?", &choices).value(decision.as_str()),
        Field::lines("reason", "Why?").value(of(|known| &known.reason)),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Save the decision").fields(fields);
    let title = format!("{}: personal data", detail.case.asset_tag);
    let mut question = Question::new(Frame::new(app, visitor, title, Some(&place))?.with(errors), form)
        .back(super::place_of(id), "Back to the lost phone")
        .lead(
            "If people could be harmed because their data was on the phone, the council must tell the Information \
               Commissioner within 72 hours of becoming aware of the loss. Write the decision down, whichever it is.",
        )
        .fact("Aware since", zone.when(detail.case.aware_at))
        .fact("Tell the Commissioner by", zone.when_or(&detail.case.notify_breach_by, "Not known"))
        .fact("Lock", standing.lock_words);
    for evidence in standing.evidence {
        question = question.fact("The phone reports", evidence);
    }
    Ok(question)
}

/// GET: the form, with what was written down.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &CaseId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: writes it down.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let done = match sent.text("decision").parse::<BreachDecision>() {
        Err(_) => Err(Error::invalid("decision", "Choose one of the answers")),
        Ok(decision) => {
            let (case, data_held, reason) = (id.clone(), sent.text("data_held"), sent.text("reason"));
            visitor
                .change(&app, &sent, "decide about breach", move |tx, context| {
                    losses::decide_breach(tx, context, &case, &data_held, decision, &reason)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&super::place_of(&id))),
        Err(error) => {
            let question = page(&app, &visitor, &id, &Errors::of(error)?).await?;
            let form = question.form.map(|form| form.filled(&sent));
            Question { form, ..question }.answer()
        }
    }
}
