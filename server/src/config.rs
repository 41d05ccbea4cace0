//! The settings of `beadle serve`, with the real world's addresses as defaults.

use serde::Deserialize;

/// All settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {}
