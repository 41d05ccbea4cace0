//! The third question: whose phone it is, and which kind.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};

use super::answers::{Answers, Known, look_up, with_answers};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Mode, Ownership};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

/// What can be answered.
const ALL: &[(Mode, &str, &str)] = &[
    (Mode::Device, "device", "The council\u{2019}s iPhone or iPad"),
    (
        Mode::Supervised,
        "supervised",
        "The council\u{2019}s iPhone or iPad, supervised: prepared with Apple Configurator or Apple Business",
    ),
    (Mode::FullyManaged, "fully_managed", "The council\u{2019}s Android phone, for council work only: new, or reset"),
    (
        Mode::CompanyWorkProfile,
        "company_work_profile",
        "The council\u{2019}s Android phone, with a private side for its holder: new, or reset",
    ),
    (
        Mode::PersonalWorkProfile,
        "personal_work_profile",
        "The holder\u{2019}s own Android phone: council data is kept apart",
    ),
    (Mode::User, "user", "The holder\u{2019}s own iPhone or iPad"),
];

/// GET: the question.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    answers: Query<Answers>,
) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    page(&app, &visitor, &place, answers.into_inner().trimmed(), "", Errors::default()).await
}

/// The question, with what was wrong with the answer; an earlier one again, if that is not answered well.
pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    answers: Answers,
    chosen: &str,
    errors: Errors,
) -> Result<HttpResponse, Failure> {
    let item = match answers.item() {
        Ok(Some(item)) => item,
        Ok(None) => return Ok(go(&format!("{}/invite", place.home()))),
        Err(error) => return super::item::page(app, visitor, place, &answers, Errors::of(error)?).await,
    };
    let Some(holder) = answers.holder() else {
        let errors = Errors::one("name", "Enter the name, or choose somebody");
        return super::holder::page(app, visitor, place, Answers { find: None, ..answers }, errors).await;
    };
    if answers.person.is_none() && answers.name.as_ref().is_some_and(|name| name.chars().count() > 100) {
        let errors = Errors::one("name", "Shorten the name to 100 characters");
        return super::holder::page(app, visitor, place, Answers { find: None, ..answers }, errors).await;
    }
    let own = place.clone();
    let known = visitor.read(app, "item", move |tx, context| look_up(tx, context, &own, &item, Some(&holder))).await;
    let known = match known {
        Err(Error::Invalid { field, problem }) => {
            let errors = Errors::of(Error::Invalid { field, problem })?;
            return super::item::page(app, visitor, place, &answers, errors).await;
        }
        other => other?,
    };
    question(app, visitor, place, &answers, &known, chosen, errors)?.answer()
}

fn question(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    answers: &Answers,
    known: &Known,
    chosen: &str,
    errors: Errors,
) -> Result<Question> {
    let action = format!("{}/invite", place.home());
    let asset = known.item.as_ref().map(|shown| &shown.asset);
    // Whose it is and what it runs are facts of the register, where they are known.
    let fits = |mode: Mode| {
        asset.is_none_or(|asset| {
            let own = mode.is_personal() == (asset.ownership == Ownership::Personal);
            own && asset.platform.is_none_or(|platform| platform == mode.platform())
        })
    };
    let choices: Vec<(&'static str, &'static str)> =
        ALL.iter().filter(|(mode, _, _)| fits(*mode)).map(|(_, name, words)| (*name, *words)).collect();
    let field = Field::choice("mode", "Whose is it, and which kind?", &choices)
        .hint("A phone that is the holder\u{2019}s own can never be erased by the council, only what belongs to the council.")
        .value(chosen);
    let mut form = Form::new(&action, visitor.token(app, &action)?, "Make the invitation").fields(vec![field]);
    for (name, value) in answers.fields() {
        form = form.hidden(name, &value);
    }
    let frame = Frame::new(app, visitor, "Whose phone is it?", Some(place))?.with(&errors);
    let mut question = Question::new(frame, form)
        .back(with_answers(&format!("{}/invite/holder", place.home()), &answers.item_fields()), "Choose another holder")
        .fact("Item", format!("{}: {}", known.tag, known.what))
        .fact("Holder", known.holder.clone().unwrap_or_default());
    if let Some(asset) = asset {
        let whose =
            if asset.ownership == Ownership::Personal { "The holder\u{2019}s own" } else { "The council\u{2019}s" };
        question = question.fact("Whose, on the register", whose);
    }
    Ok(question)
}

/// The mode that was chosen.
///
/// # Errors
/// `Invalid` for none.
pub(super) fn mode(chosen: &str) -> Result<Mode> {
    let found = ALL.iter().find(|(_, name, _)| *name == chosen).map(|(mode, _, _)| *mode);
    found.ok_or_else(|| Error::invalid("mode", "Choose one"))
}
