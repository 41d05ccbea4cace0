//! A point in time as Beadle keeps it: UTC, whole microseconds, alike in both databases.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, TimeZone as _, Timelike as _, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Text, Timestamp};
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::{Deserialize, Serialize};

/// A point in time, UTC, truncated to microseconds (PostgreSQL keeps no more, SQLite would).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow, Serialize, Deserialize,
)]
#[diesel(sql_type = Timestamp)]
#[serde(from = "DateTime<Utc>", into = "DateTime<Utc>")]
pub struct Moment(NaiveDateTime);

impl Moment {
    /// The moment `seconds` after 1970-01-01T00:00:00Z; the epoch itself where that is out of range.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Utc.timestamp_opt(seconds, 0).single().unwrap_or_default().into()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0.and_utc().timestamp()
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_micros(self) -> i64 {
        self.0.and_utc().timestamp_micros()
    }

    /// The same moment as chrono writes it.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        self.0.and_utc()
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Self {
        let micros = time.timestamp_micros();
        Self(Utc.timestamp_micros(micros).single().unwrap_or_default().naive_utc())
    }
}

impl From<Moment> for DateTime<Utc> {
    fn from(moment: Moment) -> Self {
        moment.utc()
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0.format("%Y-%m-%dT%H:%M:%S%.fZ"))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.checked_add_signed(duration).unwrap_or(NaiveDateTime::MAX))
    }
}

impl std::ops::Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.checked_sub_signed(duration).unwrap_or(NaiveDateTime::MIN))
    }
}

impl std::ops::Sub for Moment {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}

impl ToSql<Timestamp, Pg> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamp, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<Timestamp, Pg> for Moment {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <NaiveDateTime as FromSql<Timestamp, Pg>>::from_sql(value).map(|time| Self::from(time.and_utc()))
    }
}

/// SQLite keeps text, and a row has a dozen of them: chrono's reading and writing by a pattern is a tenth of what a visit of a
/// device costs, so the one form that is written here is read and written by hand.
impl ToSql<Timestamp, Sqlite> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(written(self.0));
        Ok(serialize::IsNull::No)
    }
}

impl FromSql<Timestamp, Sqlite> for Moment {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        let time = match read(text.as_bytes()) {
            Some(time) => time,
            // More digits; or a row that somebody mended by hand, for which no phone must be turned away.
            None => NaiveDateTime::parse_from_str(&text, PATTERN)
                .or_else(|_| DateTime::parse_from_rfc3339(&text).map(|time| time.naive_utc()))
                .map_err(|problem| format!("\"{text}\" is not a time as the database keeps it: {problem}"))?,
        };
        Ok(Self::from(time.and_utc()))
    }
}

/// How SQLite keeps a time, as diesel does: with as many digits after the second as it takes, three or six.
const PATTERN: &str = "%F %T%.f";

fn written(time: NaiveDateTime) -> String {
    let (date, clock, micros) = (time.date(), time.time(), time.and_utc().timestamp_subsec_micros());
    if !(0..=9999).contains(&date.year()) {
        return time.format(PATTERN).to_string();
    }
    let mut text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        date.year(),
        date.month(),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    );
    // Writing to a String does not fail.
    let _ = match (micros, micros % 1000) {
        (0, _) => Ok(()),
        (_, 0) => write!(text, ".{:03}", micros / 1000),
        _ => write!(text, ".{micros:06}"),
    };
    text
}

/// `None` where it is not in the form of [`PATTERN`] with at most six digits after the second.
fn read(text: &[u8]) -> Option<NaiveDateTime> {
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum: u32, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
    };
    let (moment, fraction) = text.split_at_checked(19)?;
    let [y @ .., b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2] = moment else { return None };
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            number(digits)? * 10_u32.pow(6 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let two = |tens: &u8, ones: &u8| number(&[*tens, *ones]);
    NaiveDate::from_ymd_opt(i32::try_from(number(y)?).ok()?, two(m1, m2)?, two(d1, d2)?)?.and_hms_micro_opt(
        two(h1, h2)?,
        two(n1, n2)?,
        two(s1, s2)?,
        micros,
    )
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Moment {}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sqlite::SqliteConnection;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nanoseconds_are_cut_so_that_both_databases_return_what_was_stored() {
        let time = Utc.timestamp_opt(1_700_000_000, 123_456_789).single().expect("in range");
        assert_eq!(Moment::from(time).to_string(), "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn sqlite_reads_what_others_wrote_and_says_what_it_cannot_read() {
        let mut connection = SqliteConnection::establish(":memory:").expect("opens");
        let mut given = |text: &str| {
            diesel::select(diesel::dsl::sql::<Timestamp>(&format!("'{text}'"))).get_result::<Moment>(&mut connection)
        };
        for (text, shown) in [
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05.123456789", "2026-01-02T03:04:05.123456Z"),
            ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500Z"),
            ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"),
            ("+12026-01-02 03:04:05", "+12026-01-02T03:04:05Z"),
        ] {
            assert_eq!(given(text).expect(text).to_string(), shown);
        }
        let problem = given("yesterday").expect_err("is no time");
        let words = std::error::Error::source(&problem).map(ToString::to_string).unwrap_or_default();
        assert!(words.starts_with("\"yesterday\" is not a time"), "{problem}: {words}");
    }

    proptest! {
        #[test]
        fn sqlite_is_given_and_understood_what_chrono_would_write(
            seconds in -200_000_000_000_i64..400_000_000_000,
            micros in prop_oneof![Just(0_u32), (0..1000_u32).prop_map(|millis| millis * 1000), 0..1_000_000_u32],
        ) {
            let time = Utc.timestamp_opt(seconds, micros * 1000).single().expect("in range").naive_utc();
            let text = written(time);
            prop_assert_eq!(&text, &time.format(PATTERN).to_string());
            if (0..=9999).contains(&time.year()) {
                prop_assert_eq!(read(text.as_bytes()), Some(time));
            }
        }

        #[test]
        fn what_is_read_is_what_chrono_would_read(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?",
        ) {
            prop_assert_eq!(read(text.as_bytes()), NaiveDateTime::parse_from_str(&text, PATTERN).ok());
        }

        #[test]
        fn whatever_else_is_read_chrono_would_read_too(text in ".{0,30}|[0-9:. -]{15,30}") {
            if let Some(time) = read(text.as_bytes()) {
                prop_assert_eq!(Ok(time), NaiveDateTime::parse_from_str(&text, PATTERN));
            }
        }
    }
}
