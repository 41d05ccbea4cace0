//! Dates as British public services write them, in the council's own time.

use chrono::{Datelike as _, LocalResult, NaiveDate, NaiveDateTime, TimeZone as _, Timelike as _};
use chrono_tz::Tz;

use crate::error::{Error, Result};
use crate::model::Moment;

/// A moment, or a reference to one however deep: templates add references of their own.
pub(super) trait At {
    /// The moment.
    fn at(&self) -> Moment;
}

impl At for Moment {
    fn at(&self) -> Moment {
        *self
    }
}

impl<Inner: At> At for &Inner {
    fn at(&self) -> Moment {
        (**self).at()
    }
}

/// The time zone in which a page tells times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::Europe__London)
    }
}

impl Zone {
    /// The zone with this name; London's where there is none of that name.
    pub(super) fn named(name: &str) -> Self {
        Self(name.parse().unwrap_or(Tz::Europe__London))
    }

    /// "21 November 2026 at 4:05pm".
    pub(super) fn when(&self, at: impl At) -> String {
        let local = at.at().utc().with_timezone(&self.0);
        let time = match (local.hour(), local.minute()) {
            (0, 0) => "midnight".to_owned(),
            (12, 0) => "midday".to_owned(),
            (hour, minute) => {
                let half = if hour < 12 { "am" } else { "pm" };
                let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
                format!("{hour}:{minute:02}{half}")
            }
        };
        format!("{} {} {} at {time}", local.day(), local.format("%B"), local.year())
    }

    /// "2026-11-21 16:05", for a table that a program sorts.
    pub(super) fn sortable(&self, at: impl At) -> String {
        at.at().utc().with_timezone(&self.0).format("%Y-%m-%d %H:%M").to_string()
    }

    /// In words, or what to say where there is no time.
    pub(super) fn when_or(&self, at: &Option<Moment>, otherwise: &str) -> String {
        at.as_ref().map_or_else(|| otherwise.to_owned(), |at| self.when(at))
    }

    /// The end of the day that was entered in a `date` field; nothing for what is no day.
    pub(super) fn end_of_day(&self, text: &str) -> Option<Moment> {
        let forms = ["%Y-%m-%d", "%d/%m/%Y", "%d %B %Y"];
        let day = forms.iter().find_map(|form| NaiveDate::parse_from_str(text.trim(), form).ok())?;
        let midnight = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
        // Where clocks change at midnight, the day ends with the hour after it.
        let local = |at: NaiveDateTime| self.0.from_local_datetime(&at).earliest();
        local(midnight).or_else(|| local(midnight + chrono::Duration::hours(1))).map(|at| at.to_utc().into())
    }

    /// What was entered in a `datetime-local` field; nothing for an empty one.
    ///
    /// # Errors
    /// `Invalid` for what is no time, or none in this zone.
    pub(super) fn entered(&self, field: &str, text: &str) -> Result<Option<Moment>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || Error::invalid(field, "Enter a date and time, for example 2026-11-21 16:05");
        let at = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .ok_or_else(wrong)?;
        match self.0.from_local_datetime(&at) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(Some(at.to_utc().into())),
            LocalResult::None => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        chrono::DateTime::parse_from_rfc3339(text).expect("a time").to_utc().into()
    }

    #[test]
    fn times_are_written_as_public_services_write_them() {
        let zone = Zone::default();
        for (at, expected) in [
            ("2026-11-21T16:05:00Z", "21 November 2026 at 4:05pm"),
            ("2026-07-01T08:09:59Z", "1 July 2026 at 9:09am"),
            ("2026-11-21T00:00:00Z", "21 November 2026 at midnight"),
            ("2026-11-21T12:00:00Z", "21 November 2026 at midday"),
            ("2026-11-21T00:30:00Z", "21 November 2026 at 12:30am"),
            ("2026-11-21T12:30:00Z", "21 November 2026 at 12:30pm"),
            ("2026-12-31T23:59:00Z", "31 December 2026 at 11:59pm"),
        ] {
            assert_eq!(zone.when(moment(at)), expected);
        }
        assert_eq!(Zone::named("Cornwall"), Zone::default());
    }

    #[test]
    fn what_is_typed_is_local_time() {
        let zone = Zone::default();
        let typed = zone.entered("when", "2026-07-01T09:09").expect("a time").expect("given");
        assert_eq!(typed, moment("2026-07-01T08:09:00Z"));
        assert_eq!(zone.entered("when", " ").expect("empty"), None);
        assert!(zone.entered("when", "yesterday").is_err());
        // The hour that does not exist when clocks go forward.
        assert!(zone.entered("when", "2026-03-29T01:30").is_err());
    }
}
