//! Adding an item, and changing what is written about it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{KINDS, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, Ownership, Permission};
use crate::operations::assets::{self, Description};
use crate::operations::councils;
use crate::store::assets::Asset;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

const LABELS: [(&str, &str); 9] = [
    ("tag", "Tag"),
    ("make", "Make"),
    ("model", "Model"),
    ("serial", "Serial number"),
    ("imei", "IMEI"),
    ("sim", "SIM"),
    ("phone_number", "Telephone number"),
    ("note", "Note"),
    ("backup_note", "Back-up"),
];

/// What every item has.
fn first_fields(asset: Option<&Asset>) -> Vec<Field> {
    let text = |of: fn(&Asset) -> Option<&String>| asset.and_then(of).cloned().unwrap_or_default();
    let ownership = asset.map_or(Ownership::Council, |asset| asset.ownership);
    let kind = asset.map(|asset| asset.kind.clone()).unwrap_or_default();
    vec![
        Field::line("tag", "Tag")
            .hint("What is written on its label, for example GPC-014. No other item has the same.")
            .value(text(|asset| Some(&asset.tag)))
            .most(40)
            .short(),
        Field::choice("kind", "What is it?", &KINDS).value(kind),
        Field::line("make", "Make")
            .hint("For example Apple, Samsung or Huawei.")
            .value(text(|asset| Some(&asset.make)))
            .most(60),
        Field::line("model", "Model (optional)").value(text(|asset| Some(&asset.model))).most(60),
        Field::choice(
            "ownership",
            "Whose is it?",
            &[("council", "The council\u{2019}s"), ("personal", "Its holder\u{2019}s own")],
        )
        .value(ownership.as_str()),
    ]
}

/// The same, and what some have.
fn all_fields(asset: &Asset) -> Vec<Field> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut fields = first_fields(Some(asset));
    fields.extend([
        Field::line("serial", "Serial number (optional)").value(text(&asset.serial)).most(60).short(),
        Field::line("imei", "IMEI (optional)")
            .hint("The phone shows it when *#06# is dialled. The network needs it to block a stolen phone.")
            .value(text(&asset.imei))
            .most(40)
            .short(),
        Field::line("sim", "Number of the SIM card (optional)").value(text(&asset.sim)).most(40).short(),
        Field::line("phone_number", "Telephone number (optional)").value(text(&asset.phone_number)).most(40).short(),
        Field::line("backup_note", "Back-up (optional)")
            .hint("How what is on it is backed up, for example: to the council\u{2019}s iCloud, every night.")
            .value(asset.backup_note.clone())
            .most(500),
        Field::line("note", "Note (optional)").value(asset.note.clone()).most(500),
    ]);
    fields
}

/// What was entered.
///
/// # Errors
/// `Invalid` for a choice that is none.
fn described(sent: &Sent) -> Result<Description> {
    let text = |name: &str| Some(sent.text(name));
    let kind = sent.text("kind").parse().ok().ok_or_else(|| Error::invalid("kind", "Choose what it is"))?;
    let ownership = sent.text("ownership").parse().ok();
    let ownership = ownership.ok_or_else(|| Error::invalid("ownership", "Choose whose it is"))?;
    Ok(Description {
        tag: text("tag"),
        kind: Some(kind),
        make: text("make"),
        model: text("model"),
        platform: None,
        ownership: Some(ownership),
        serial: text("serial"),
        imei: text("imei"),
        sim: text("sim"),
        phone_number: text("phone_number"),
        note: text("note"),
        backup_note: text("backup_note"),
    })
}

async fn place_for(app: &App, visitor: &Visitor, council: String) -> Result<Place> {
    visitor
        .read(app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Register)?;
            Place::of(tx, &council)
        })
        .await
}

fn new_page(app: &App, visitor: &Visitor, place: &Place, errors: &Errors) -> Result<Question> {
    let action = format!("{}/equipment/new", place.home());
    let form = Form::new(&action, visitor.token(app, &action)?, "Add it to the register").fields(first_fields(None));
    let frame = Frame::new(app, visitor, "Add an item", Some(place))?.with(errors);
    Ok(Question::new(frame, form)
        .back(format!("{}/equipment", place.home()), "All equipment")
        .lead("A phone or tablet that Beadle shall manage can be added while it is invited, which takes fewer steps. Numbers and notes \
         can be added afterwards."))
}

/// GET: the empty form.
pub(super) async fn show_new(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, path.into_inner()).await?;
    new_page(&app, &visitor, &place, &Errors::default())?.answer()
}

/// POST: adds it; who holds it comes next.
pub(super) async fn send_new(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, path.into_inner()).await?;
    let done = match described(&sent) {
        Err(error) => Err(error),
        Ok(new) => {
            let council = place.id.to_string();
            visitor
                .change(&app, &sent, "add item", move |tx, context| {
                    Ok(assets::add(tx, context, &council, &new, &[])?.asset.id)
                })
                .await
        }
    };
    match done {
        Ok(asset) => Ok(go(&place_of(&asset))),
        Err(error) => new_page(&app, &visitor, &place, &Errors::of(error)?.named(&LABELS))?.filled(&sent).answer(),
    }
}

async fn page(app: &App, visitor: &Visitor, id: &AssetId, errors: &Errors) -> Result<Question> {
    let (place, shown) = super::changeable(app, visitor, id).await?;
    let action = format!("{}/change", place_of(id));
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(all_fields(&shown.asset));
    let title = format!("Change {}", shown.asset.tag);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    Ok(Question::new(frame, form).back(place_of(id), "Back to this item"))
}

/// GET: the form, with what is known.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &AssetId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: keeps it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let done = match described(&sent) {
        Err(error) => Err(error),
        Ok(change) => {
            let asset = id.clone();
            visitor
                .change(&app, &sent, "change item", move |tx, context| {
                    assets::change(tx, context, &asset, &change).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?.named(&LABELS)).await?.filled(&sent).answer(),
    }
}
