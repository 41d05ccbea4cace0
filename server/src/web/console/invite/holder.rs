//! The second question: who holds it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};

use super::answers::{Answers, look_up, with_answers};
use super::{Choose, Offer};
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::people;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are shown; with more, one more letter finds fewer.
const MOST: usize = 20;

/// GET: the question.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    answers: Query<Answers>,
) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    page(&app, &visitor, &place, answers.into_inner().trimmed(), Errors::default()).await
}

/// The question, with what was wrong with the answer; the first one again, if that is not answered well.
pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    answers: Answers,
    mut errors: Errors,
) -> Result<HttpResponse, Failure> {
    let item = match answers.item() {
        Ok(Some(item)) => item,
        Ok(None) => return Ok(go(&format!("{}/invite", place.home()))),
        Err(error) => return super::item::page(app, visitor, place, &first_again(&answers), Errors::of(error)?).await,
    };
    let own = place.clone();
    let known = visitor.read(app, "item", move |tx, context| look_up(tx, context, &own, &item, None)).await;
    let known = match known {
        Err(Error::Invalid { field, problem }) => {
            let errors = Errors::of(Error::Invalid { field, problem })?;
            return super::item::page(app, visitor, place, &first_again(&answers), errors).await;
        }
        other => other?,
    };
    let asked: String = answers.find.as_deref().unwrap_or_default().trim().chars().take(60).collect();
    let mut found = None;
    if answers.find.is_some() && asked.is_empty() {
        errors = Errors::one("find", "Enter the start of a name");
    } else if answers.find.is_some() {
        let (council, text) = (place.id.to_string(), asked.clone());
        let looked = visitor
            .read(app, "find person", move |tx, context| people::find(tx, context, &council, &text, MOST as i64 + 1))
            .await;
        match looked {
            Ok(people) => found = Some(people),
            Err(error) => errors = Errors::of(error)?,
        }
    }
    let next = format!("{}/invite/phone", place.home());
    let choose = |id: String, name: String, detail: Vec<String>| {
        let mut fields = answers.item_fields();
        fields.push(("person", id));
        Offer { what: name, detail, place: with_answers(&next, &fields), words: "Invite this person" }
    };
    let custody = known.item.as_ref().map(|shown| shown.custody.as_slice()).unwrap_or_default();
    let present = custody.iter().filter(|held| held.until.is_none());
    let offers: Vec<Offer> = present
        .map(|held| choose(held.person.to_string(), held.name.clone(), vec![format!("Holds {} now", known.tag)]))
        .collect();
    let more = found.as_ref().is_some_and(|found| found.len() > MOST);
    let found = found.map(|found| {
        let found = found.into_iter().take(MOST);
        found.map(|person| choose(person.id.to_string(), person.name, person.email.into_iter().collect())).collect()
    });
    let mut lead = vec![format!("{}: {}", known.tag, known.what)];
    if !offers.is_empty() {
        lead.push(
            "If you choose somebody else, the register says from then on that they hold it, and nobody else does."
                .to_owned(),
        );
    }
    let field = Field::line("name", "Name").most(100).value(answers.name.clone().unwrap_or_default());
    let page = Choose {
        frame: Frame::new(app, visitor, "Who holds it?", Some(place))?.with(&errors),
        back: (format!("{}/invite", place.home()), "Choose another item"),
        lead,
        offers,
        search: format!("{}/invite/holder", place.home()),
        hidden: answers.item_fields(),
        label: "Find somebody on the register",
        hint: "The start of any word of the name.",
        problem: errors.about("find"),
        asked,
        found,
        more,
        new_heading: "Somebody who is not on the register yet",
        new_place: next,
        new_fields: vec![field.marked(&errors)],
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

/// The answers for the first question, without what belongs to the search of the second.
fn first_again(answers: &Answers) -> Answers {
    Answers { find: None, ..answers.clone() }
}
