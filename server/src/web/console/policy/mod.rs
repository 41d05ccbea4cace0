//! The council's policy: what it says, what each kind of phone makes of it, changing it one question at a time, and going back.

mod check;
mod history;
mod presets;
mod questions;
mod setting;
mod show;

use actix_web::web::{ServiceConfig, get, post};
use serde::Deserialize;

use super::page::Place;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils;
use crate::operations::policies::{Base, Change, Difference};

/// The pages about the policy.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/policy", get().to(show::show))
        .route("/councils/{council}/policy/settings/{setting}", get().to(setting::show))
        .route("/councils/{council}/policy/check", get().to(check::show))
        .route("/councils/{council}/policy/check", post().to(check::send))
        .route("/councils/{council}/policy/history", get().to(history::show))
        .route("/councils/{council}/policy/presets", get().to(presets::show));
}

/// The council in the address, and whether the caller may change its policy.
async fn place_of(app: &App, visitor: &Visitor, council: &str) -> Result<(Place, bool)> {
    let name = council.to_owned();
    let place = visitor
        .read(app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await?;
    let may_change = visitor.may(Permission::Settings, &place.id);
    Ok((place, may_change))
}

/// A change that somebody wants to look at: one setting, a preset, or an earlier version.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    setting: Option<String>,
    value: Option<String>,
    acknowledged: Option<String>,
    preset: Option<String>,
    version: Option<String>,
}

impl Wanted {
    fn base(&self) -> Result<Base> {
        match (&self.setting, &self.preset, &self.version) {
            (Some(_), None, None) => Ok(Base::Current),
            (None, Some(preset), None) => preset.parse().map(Base::Preset).map_err(|_| Error::NotFound("preset")),
            (None, None, Some(version)) => version.parse().map(Base::Version).map_err(|_| Error::NotFound("version")),
            _ => Err(Error::NotFound("change")),
        }
    }

    fn changes(&self) -> Vec<Change> {
        let Some(path) = &self.setting else { return Vec::new() };
        let value = self.value.clone().unwrap_or_default().trim().to_owned();
        let mut changes = vec![Change { path: path.clone(), value }];
        if path == questions::ERASE {
            let agreed = (self.acknowledged.as_deref() == Some("true")).to_string();
            changes.push(Change { path: questions::ACKNOWLEDGED.to_owned(), value: agreed });
        }
        changes
    }

    /// What a form has to send to mean the same.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("setting", &self.setting),
            ("value", &self.value),
            ("acknowledged", &self.acknowledged),
            ("preset", &self.preset),
            ("version", &self.version),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// A difference in words: the question, the answer before, the answer since.
struct Changed {
    words: String,
    from: String,
    to: String,
}

fn changed(differences: &[Difference]) -> Vec<Changed> {
    let told = |difference: &Difference| Changed {
        words: questions::words(&difference.setting),
        from: questions::value_words(&difference.setting, difference.from.as_deref()),
        to: questions::value_words(&difference.setting, difference.to.as_deref()),
    };
    differences.iter().map(told).collect()
}
