//! A point in time as Beadle keeps it: UTC, whole microseconds, alike in both databases.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone as _, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Timestamp;
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

impl<Db> ToSql<Timestamp, Db> for Moment
where
    Db: Backend,
    NaiveDateTime: ToSql<Timestamp, Db>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Db>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<Db> FromSql<Timestamp, Db> for Moment
where
    Db: Backend,
    NaiveDateTime: FromSql<Timestamp, Db>,
{
    fn from_sql(bytes: Db::RawValue<'_>) -> deserialize::Result<Self> {
        NaiveDateTime::from_sql(bytes).map(|time| Self::from(time.and_utc()))
    }
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
    use super::*;

    #[test]
    fn nanoseconds_are_cut_so_that_both_databases_return_what_was_stored() {
        let time = Utc.timestamp_opt(1_700_000_000, 123_456_789).single().expect("in range");
        assert_eq!(Moment::from(time).to_string(), "2023-11-14T22:13:20.123456Z");
    }
}
