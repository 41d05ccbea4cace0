//! What was answered so far, carried along in the address: nothing of it is kept before the last question.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::model::{AssetId, AssetKind, PersonId};
use crate::operations::assets::{self, Shown, Wanted};
use crate::operations::invitations::{Holder, Item};
use crate::operations::{Context, people};
use crate::store::Transaction;
use crate::web::console::form::Sent;
use crate::web::console::page::Place;

/// The most of one answer that is carried along, in characters: more than any of them may have.
const LONGEST: usize = 300;

/// The answers, as they stand in an address or a form.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Answers {
    pub(super) asset: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) make: Option<String>,
    pub(super) model: Option<String>,
    pub(super) person: Option<String>,
    pub(super) name: Option<String>,
    pub(super) find: Option<String>,
}

impl Answers {
    /// The answers of the last question's form.
    pub(super) fn of(sent: &Sent) -> Self {
        Self {
            asset: sent.given("asset"),
            tag: sent.given("tag"),
            kind: sent.given("kind"),
            make: sent.given("make"),
            model: sent.given("model"),
            person: sent.given("person"),
            name: sent.given("name"),
            find: None,
        }
        .trimmed()
    }

    /// The same without what is empty, and without more than is carried along.
    pub(super) fn trimmed(self) -> Self {
        let cut = |answer: Option<String>| {
            let text: String = answer?.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
            Some(text).filter(|text| !text.is_empty())
        };
        Self {
            asset: cut(self.asset),
            // An empty one was sent all the same, and is told to be missing.
            tag: self.tag.map(|tag| cut(Some(tag)).unwrap_or_default()),
            kind: cut(self.kind),
            make: cut(self.make),
            model: cut(self.model),
            person: cut(self.person),
            name: cut(self.name),
            find: self.find,
        }
    }

    /// What is known of the item, for an address or hidden fields.
    pub(super) fn item_fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("asset", &self.asset),
            ("tag", &self.tag),
            ("kind", &self.kind),
            ("make", &self.make),
            ("model", &self.model),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }

    /// All that is known.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = self.item_fields();
        let more = [("person", &self.person), ("name", &self.name)];
        fields.extend(more.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        fields
    }

    /// The item, as the operation takes it; nothing where the question is not answered.
    ///
    /// # Errors
    /// `Invalid` for a new one that lacks something.
    pub(super) fn item(&self) -> Result<Option<Item>> {
        if let Some(asset) = &self.asset {
            return Ok(Some(Item::Known(AssetId::from(asset.clone()))));
        }
        if [&self.tag, &self.kind, &self.make, &self.model].iter().all(|answer| answer.is_none()) {
            return Ok(None);
        }
        let needed = |name: &str, answer: &Option<String>, words: &str| {
            answer.clone().filter(|answer| !answer.is_empty()).ok_or_else(|| Error::invalid(name, words))
        };
        let tag = needed("tag", &self.tag, "Enter the tag that is on its label, or that you will put on it")?;
        let make = needed("make", &self.make, "Enter who makes it, for example Apple or Samsung")?;
        let kind = self.kind.as_deref().and_then(|kind| kind.parse().ok());
        let kind = kind.filter(|kind| [AssetKind::Phone, AssetKind::Tablet].contains(kind));
        let kind = kind.ok_or_else(|| Error::invalid("kind", "Choose whether it is a phone or a tablet"))?;
        let most = |name: &str, value: &str, most: usize| {
            if value.chars().count() > most {
                return Err(Error::invalid(name, format!("Shorten this to {most} characters")));
            }
            Ok(())
        };
        let model = self.model.clone().unwrap_or_default();
        most("tag", &tag, 40)?;
        most("make", &make, 60)?;
        most("model", &model, 60)?;
        Ok(Some(Item::New { tag, kind, make, model }))
    }

    /// The holder, as the operation takes it; nothing where the question is not answered.
    pub(super) fn holder(&self) -> Option<Holder> {
        match (&self.person, &self.name) {
            (Some(person), _) => Some(Holder::Known(PersonId::from(person.clone()))),
            (None, Some(name)) => Some(Holder::New(name.clone())),
            (None, None) => None,
        }
    }
}

/// What the register says of the answers so far.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The item, if it is on the register.
    pub(super) item: Option<Shown>,
    /// Its tag and what it is.
    pub(super) tag: String,
    pub(super) what: String,
    /// The name of the holder; nothing until that is answered.
    pub(super) holder: Option<String>,
}

/// Looks the answers up.
///
/// # Errors
/// `NotFound` for what is not the council's; `Conflict` for a tag that is taken.
pub(super) fn look_up(
    tx: &mut Transaction<'_>,
    context: &Context,
    place: &Place,
    item: &Item,
    holder: Option<&Holder>,
) -> Result<Known> {
    let holder = match holder {
        None => None,
        Some(Holder::New(name)) => Some(name.clone()),
        Some(Holder::Known(id)) => {
            let (person, _) = people::show(tx, context, id)?;
            if person.council_id != place.id {
                return Err(Error::NotFound("person"));
            }
            Some(person.name)
        }
    };
    match item {
        Item::Known(id) => {
            let shown = assets::show(tx, context, id)?;
            if shown.asset.council_id != place.id {
                return Err(Error::NotFound("asset"));
            }
            let asset = &shown.asset;
            let (tag, what) = (asset.tag.clone(), format!("{} {}", asset.make, asset.model).trim().to_owned());
            Ok(Known { tag, what, holder, item: Some(shown) })
        }
        Item::New { tag, make, model, .. } => {
            let wanted = Wanted { tag: Some(tag.clone()), ..Wanted::default() };
            if !assets::list(tx, context, place.id.as_str(), &wanted, None, 1)?.is_empty() {
                return Err(Error::invalid("tag", "This tag is on another item; choose that item, or another tag"));
            }
            Ok(Known { item: None, tag: tag.clone(), what: format!("{make} {model}").trim().to_owned(), holder })
        }
    }
}

/// An address with answers.
pub(super) fn with_answers(place: &str, fields: &[(&'static str, String)]) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{place}?{query}")
}
