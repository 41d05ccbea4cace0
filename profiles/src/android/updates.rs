//! `systemUpdate`, and Android's versions as the API levels Google counts in.

use super::message::{members, message};

message! {
    /// `SystemUpdate`. Freeze periods are never sent: they hold back security patches too.
    SystemUpdate {
        #[serde(rename = "type")]
        kind: UpdateType,
    }
}

members! {
    /// When updates install.
    UpdateType { Automatic = "AUTOMATIC" }
}

/// Updates install as soon as there are any.
pub(crate) fn automatic() -> SystemUpdate {
    SystemUpdate { kind: Some(UpdateType::Automatic) }
}

/// The first API level of an Android version, from 8 on: each version has one of its own, and 8 and 12 have a second.
pub(crate) fn api_level(version: u8) -> u16 {
    let version = u16::from(version);
    match version {
        ..=8 => 26,
        9..=12 => version + 19,
        _ => version + 20,
    }
}

#[cfg(test)]
mod tests {
    use super::api_level;

    #[test]
    fn versions_and_api_levels() {
        for (version, level) in [(8, 26), (9, 28), (10, 29), (11, 30), (12, 31), (13, 33), (14, 34), (15, 35), (16, 36)]
        {
            assert_eq!(api_level(version), level, "Android {version}");
        }
    }
}
