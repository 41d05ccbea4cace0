//! Moments as Google writes them.

/// Milliseconds since 1970 in RFC 3339, as Google writes times.
pub(crate) fn written(milliseconds: i64) -> String {
    chrono::DateTime::from_timestamp_millis(milliseconds)
        .map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        .unwrap_or_default()
}
