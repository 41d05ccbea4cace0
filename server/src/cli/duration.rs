//! Lengths of time as people type them: 90m, 24h, 7d.

/// A length of time in whole hours' worth of minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    minutes: i64,
}

impl Length {
    /// In minutes.
    pub(crate) fn minutes(self) -> i64 {
        self.minutes
    }

    /// In hours, the last one begun counted in full.
    pub(crate) fn hours(self) -> i64 {
        (self.minutes + 59) / 60
    }
}

impl std::str::FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be a whole number with m, h or d, such as 90m, 24h or 7d".to_owned();
        let text = text.trim();
        let unit = text.chars().last().ok_or_else(wrong)?;
        let minutes = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 24 * 60,
            _ => return Err(wrong()),
        };
        let number: i64 = text.strip_suffix(unit).unwrap_or(text).trim().parse().map_err(|_| wrong())?;
        match number.checked_mul(minutes) {
            Some(minutes) if number > 0 && minutes <= 10 * 366 * 24 * 60 => Ok(Self { minutes }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_typed() {
        let read = |text: &str| text.parse::<Length>().map(Length::minutes).ok();
        assert_eq!((read("90m"), read("24h"), read("7d")), (Some(90), Some(1440), Some(10080)));
        for wrong in ["", "7", "d", "-1d", "0h", "1.5h", "7dd", "7 days", "99999999999999999d", "é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!("90m".parse::<Length>().expect("right").hours(), 2);
    }
}
