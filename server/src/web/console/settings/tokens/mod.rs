//! Tokens by which programs use the API for a council: listed, made and shown once, ended.

pub(super) mod end;
pub(super) mod list;
pub(super) mod make;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Permission, TokenScope};
use crate::operations::councils;
use crate::web::console::page::Place;
use crate::web::console::visitor::Visitor;

/// Where a council's tokens are.
fn place_of(place: &Place) -> String {
    format!("{}/tokens", place.home())
}

/// What a program may do with it, in words.
fn words_of(scope: &str) -> &str {
    match scope {
        "read" => "Read everything of the council",
        "report" => "Report a phone lost, which locks it",
        "lock" => "Lock a phone without reporting it lost",
        "register" => "Keep the register: items, people, invitations",
        other => other,
    }
}

/// The field of each scope.
const SCOPES: [(&str, &str, TokenScope); 4] = [
    ("scope_read", "Read everything of the council", TokenScope::Read),
    ("scope_report", "Report a phone lost, which locks it", TokenScope::Report),
    ("scope_lock", "Lock a phone without reporting it lost", TokenScope::Lock),
    ("scope_register", "Keep the register: items, people, invitations", TokenScope::Register),
];

/// The council in the address, for whoever may make and end its tokens.
async fn council_of(app: &App, visitor: &Visitor, name: &str) -> Result<Place> {
    let name = name.to_owned();
    let place = visitor
        .read(app, "council", move |tx, context| {
            let id = councils::permitted(tx, context, &name, Permission::Read)?;
            Place::of(tx, &id)
        })
        .await?;
    if visitor.may(Permission::Operators, &place.id) {
        Ok(place)
    } else {
        Err(Error::forbidden("your role does not allow this"))
    }
}
