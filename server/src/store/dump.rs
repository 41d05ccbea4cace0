//! The whole database as lines of JSON, alike for SQLite and PostgreSQL: what backup, restore and a change of database use.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::Value;

use super::connection::{AnyConnection, Database, Transaction};
use crate::error::{Error, Result};

/// Every table, those that others refer to first.
pub const TABLES: &[&str] = &[
    "installation",
    "installation_keys",
    "mail_servers",
    "councils",
    "operators",
    "recovery_codes",
    "passkeys",
    "passkey_ceremonies",
    "named_approvers",
    "break_glass_codes",
    "sessions",
    "sign_in_limits",
    "api_tokens",
    "idempotency_keys",
    "people",
    "assets",
    "person_name_starts",
    "asset_tag_starts",
    "custody",
    "faults",
    "report_codes",
    "authorities",
    "push_certificates",
    "devices",
    "invitations",
    "enrolments",
    "scep_challenges",
    "certificates",
    "cases",
    "breach_decisions",
    "commands",
    "one_operator_settings",
    "orders",
    "cooling_offs",
    "one_operator_notices",
    "google_projects",
    "google_sign_ups",
    "google_enterprises",
    "android_policies",
    "android_tokens",
    "android_enrolments",
    "google_operations",
    "legal_holds",
    "order_caps",
    "cap_changes",
    "freezes",
    "quarantines",
    "policies",
    "policy_secrets",
    "reports",
    "setting_states",
    "alerts",
    "audit_heads",
    "audit_rows",
    "audit_details",
    "jobs",
];

/// How many rows are read at once.
const PAGE: i64 = 500;

/// One line of a dump.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The rows that follow are of this table and have these columns.
    Table {
        /// The table.
        name: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// One row: text, number, truth value or null; bytes in hexadecimal, times as `YYYY-MM-DD HH:MM:SS.ffffff`.
    Row(Vec<Value>),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Bytes,
    Number,
    Truth,
    Time,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct NumberedRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn is_postgres(connection: &AnyConnection) -> bool {
    matches!(connection, AnyConnection::Postgres(_))
}

fn columns(connection: &mut AnyConnection, table: &str) -> Result<Vec<(String, Kind)>> {
    let sql = if is_postgres(connection) {
        "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
    } else {
        "SELECT name, type AS kind FROM pragma_table_info($1) ORDER BY cid"
    };
    let found: Vec<Column> = diesel::sql_query(sql).bind::<Text, _>(table).load(connection)?;
    found
        .into_iter()
        .map(|column| {
            let kind = match column.kind.to_uppercase().as_str() {
                "TEXT" => Kind::Text,
                "BYTEA" => Kind::Bytes,
                "BIGINT" => Kind::Number,
                "BOOLEAN" => Kind::Truth,
                kind if kind.starts_with("TIMESTAMP") => Kind::Time,
                kind => return Err(Error::Internal(format!("{table}.{} is of the unknown type {kind}", column.name))),
            };
            Ok((column.name, kind))
        })
        .collect()
}

/// All tables that the database really has, but those of the migrations.
fn tables(connection: &mut AnyConnection) -> Result<Vec<String>> {
    let sql = if is_postgres(connection) {
        "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema() \
         AND table_name <> '__diesel_schema_migrations'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
         AND name <> '__diesel_schema_migrations'"
    };
    let found: Vec<Name> = diesel::sql_query(sql).load(connection)?;
    Ok(found.into_iter().map(|row| row.name).collect())
}

/// Names come from the catalogue of our own schema; quoted all the same.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn dump_table(connection: &mut AnyConnection, table: &str, each: &mut dyn FnMut(Line) -> Result<()>) -> Result<()> {
    let columns = columns(connection, table)?;
    let names = columns.iter().map(|(name, _)| name.clone()).collect();
    each(Line::Table { name: table.to_owned(), columns: names })?;
    let postgres = is_postgres(connection);
    let values: Vec<String> = columns
        .iter()
        .map(|(name, kind)| {
            let name = quoted(name);
            match (kind, postgres) {
                (Kind::Bytes, true) => format!("encode({name}, 'hex')"),
                (Kind::Bytes, false) => format!("CASE WHEN {name} IS NULL THEN NULL ELSE lower(hex({name})) END"),
                (Kind::Time, true) => format!("to_char({name}, 'YYYY-MM-DD HH24:MI:SS.US')"),
                _ => name,
            }
        })
        .collect();
    let (values, table) = (values.join(", "), quoted(table));
    let mut page = |rows: &[NumberedRow]| -> Result<()> {
        for row in rows {
            match serde_json::from_str(&row.line)? {
                Value::Array(values) => each(Line::Row(values))?,
                _ => return Err(Error::internal("a row is no list")),
            }
        }
        Ok(())
    };
    if postgres {
        // A cursor reads once through the table, and holds no more than a page in memory.
        diesel::sql_query(format!(
            "DECLARE dump NO SCROLL CURSOR FOR SELECT 0::bigint AS number, json_build_array({values})::text AS line FROM \
             {table}"
        ))
        .execute(connection)?;
        loop {
            let rows: Vec<NumberedRow> = diesel::sql_query(format!("FETCH {PAGE} FROM dump")).load(connection)?;
            if rows.is_empty() {
                break;
            }
            page(&rows)?;
        }
        diesel::sql_query("CLOSE dump").execute(connection)?;
        return Ok(());
    }
    let sql = format!(
        "SELECT rowid AS number, json_array({values}) AS line FROM {table} WHERE rowid > $1 ORDER BY rowid LIMIT {PAGE}"
    );
    let mut after = i64::MIN;
    loop {
        let rows: Vec<NumberedRow> = diesel::sql_query(&sql).bind::<BigInt, _>(after).load(connection)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.number;
        page(&rows)?;
    }
}

fn insert_row(connection: &mut AnyConnection, sql: &str, columns: &[Kind], mut row: Vec<Value>) -> Result<()> {
    let wrong = || Error::invalid("backup", "a row does not fit its table: the file was changed");
    if row.len() != columns.len() {
        return Err(wrong());
    }
    for (value, kind) in row.iter_mut().zip(columns) {
        if *kind == Kind::Time
            && let Value::String(text) = value
        {
            let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map_err(|_| wrong())?;
            // The form in which diesel writes times to SQLite, where they are compared as text.
            *text = time.format("%F %T%.f").to_string();
        }
    }
    diesel::sql_query(sql).bind::<Text, _>(Value::Array(row).to_string()).execute(connection)?;
    Ok(())
}

/// One statement that takes a row as a JSON list.
fn insert_statement(postgres: bool, table: &str, columns: &[(String, Kind)]) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, (_, kind))| match (kind, postgres) {
            (Kind::Text, true) => format!("r.j->>{place}"),
            (Kind::Bytes, true) => format!("decode(r.j->>{place}, 'hex')"),
            (Kind::Number, true) => format!("(r.j->>{place})::bigint"),
            (Kind::Truth, true) => format!("(r.j->>{place})::boolean"),
            (Kind::Time, true) => format!("(r.j->>{place})::timestamp"),
            (Kind::Bytes, false) => format!("unhex(json_extract(r.j, '$[{place}]'))"),
            (_, false) => format!("json_extract(r.j, '$[{place}]')"),
        })
        .collect();
    let row = if postgres { "$1::json" } else { "$1" };
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM (SELECT {row} AS j) AS r",
        quoted(table),
        names.join(", "),
        values.join(", ")
    )
}

impl Database {
    /// Gives every row of every table to `each`, all from one moment.
    pub fn dump(&self, mut each: impl FnMut(Line) -> Result<()>) -> Result<()> {
        self.with_own_connection(|connection| {
            connection.transaction(|connection| {
                if is_postgres(connection) {
                    diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                        .execute(connection)?;
                }
                for table in TABLES {
                    dump_table(connection, table, &mut each)?;
                }
                Ok(())
            })
        })
    }

    /// Fills the database with `lines`, in one transaction with what `finish` adds; what was in it is removed first.
    pub fn fill<T>(
        &self,
        lines: impl Iterator<Item = Result<Line>>,
        finish: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_own_connection(|connection| {
            connection.transaction(|connection| {
                for table in TABLES.iter().rev() {
                    diesel::sql_query(format!("DELETE FROM {}", quoted(table))).execute(connection)?;
                }
                let mut current: Option<(String, Vec<Kind>)> = None;
                for line in lines {
                    match line? {
                        Line::Table { name, columns: given } => {
                            let known = columns(
                                connection,
                                TABLES.iter().find(|table| **table == name).copied().ok_or_else(|| {
                                    Error::invalid("backup", format!("there is no table {name:?} in this Beadle"))
                                })?,
                            )?;
                            let mut wanted = Vec::new();
                            for column in given {
                                wanted.push(known.iter().find(|(name, _)| *name == column).cloned().ok_or_else(
                                    || {
                                        Error::invalid(
                                            "backup",
                                            format!("{name} has no column {column:?} in this Beadle"),
                                        )
                                    },
                                )?);
                            }
                            let sql = insert_statement(is_postgres(connection), &name, &wanted);
                            current = Some((sql, wanted.into_iter().map(|(_, kind)| kind).collect()));
                        }
                        Line::Row(row) => {
                            let (sql, kinds) = current
                                .as_ref()
                                .ok_or_else(|| Error::invalid("backup", "a row comes before its table"))?;
                            insert_row(connection, sql, kinds, row)?;
                        }
                    }
                }
                finish(&mut Transaction::new(connection))
            })
        })
    }

    /// Copies an SQLite database into a new file, all from one moment.
    pub fn copy_to(&self, file: &std::path::Path) -> Result<()> {
        crate::data_folder::create_private(file, b"")?;
        self.with_own_connection(|connection| {
            diesel::sql_query("VACUUM INTO $1").bind::<Text, _>(file.display().to_string()).execute(connection)?;
            Ok(())
        })
    }

    /// Whether no table has any row.
    pub fn has_no_rows(&self) -> Result<bool> {
        self.with_own_connection(|connection| {
            let present = tables(connection)?;
            for table in TABLES.iter().filter(|table| present.iter().any(|name| name == *table)) {
                let rows: Count = diesel::sql_query(format!(
                    "SELECT count(*) AS number FROM (SELECT 1 AS one FROM {} LIMIT 1) AS first_row",
                    quoted(table)
                ))
                .get_result(connection)?;
                if rows.number > 0 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_both;

    #[tokio::test]
    async fn every_table_is_dumped() {
        on_both(|bench| async move {
            let mut found = bench.database.with_own_connection(tables).expect("reads the catalogue");
            let mut listed: Vec<String> = TABLES.iter().map(|table| (*table).to_owned()).collect();
            found.sort();
            listed.sort();
            assert_eq!(found, listed, "TABLES in store/dump.rs must name every table, after those that it refers to");
        })
        .await;
    }
}
