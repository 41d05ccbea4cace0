//! Inviting from nothing: the item and its holder put on the register, if they are not, and the invitation, all or nothing.

use super::{Made, NewInvitation, create};
use crate::error::{Error, Result};
use crate::model::{AssetId, AssetKind, Mode, Ownership, PersonId};
use crate::operations::{Context, assets, people};
use crate::store::Transaction;

/// Which item the phone is.
#[derive(Clone, Debug)]
pub enum Item {
    /// One on the register.
    Known(AssetId),
    /// One that is put on it. Whose it is and what it runs follow from the mode.
    New {
        /// Its tag.
        tag: String,
        /// What it is.
        kind: AssetKind,
        /// Who made it.
        make: String,
        /// Its model.
        model: String,
    },
}

/// Who holds it.
#[derive(Clone, Debug)]
pub enum Holder {
    /// Someone on the register.
    Known(PersonId),
    /// Someone who is put on it, by name.
    New(String),
}

/// Invites `holder` to enrol `item`, who is its holder from now on; whoever held it before has given it up.
///
/// # Errors
/// What adding an item or a person, handing over, or [`create`] refuses; then nothing was changed.
pub fn invite(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    item: &Item,
    holder: &Holder,
    mode: Mode,
) -> Result<Made> {
    let person = match holder {
        Holder::Known(id) => id.clone(),
        Holder::New(name) => {
            let new = people::Description { name: Some(name.clone()), ..people::Description::default() };
            people::add(tx, context, council, &new)?.id
        }
    };
    let asset = match item {
        Item::Known(id) => {
            let shown = assets::show_named(tx, context, council, id.as_str())?;
            if shown.asset.disposed_at.is_some() {
                return Err(Error::conflict(format!("{} was disposed of", shown.asset.tag)));
            }
            let holds = |held: &assets::Holder| held.until.is_none() && held.person == person;
            if !shown.custody.iter().any(holds) {
                assets::hand_over(tx, context, &shown.asset.id, std::slice::from_ref(&person), false)?;
            }
            shown.asset.id
        }
        Item::New { tag, kind, make, model } => {
            let new = assets::Description {
                tag: Some(tag.clone()),
                kind: Some(*kind),
                make: Some(make.clone()),
                model: Some(model.clone()),
                platform: Some(mode.platform()),
                ownership: Some(if mode.is_personal() { Ownership::Personal } else { Ownership::Council }),
                ..assets::Description::default()
            };
            assets::add(tx, context, council, &new, std::slice::from_ref(&person))?.asset.id
        }
    };
    let new =
        NewInvitation { asset: asset.to_string(), person: Some(person), mode: Some(mode), expires_in_hours: None };
    create(tx, context, council, &new)
}
