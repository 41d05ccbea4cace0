//! Where sealed secrets are kept, column by column, so that a rotation finds them all.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};

use super::Transaction;
use crate::error::Result;
use crate::sealing::Purpose;

/// A column with sealed secrets.
#[derive(Debug)]
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What its secrets are for.
    pub purpose: Purpose,
    /// SQL: who the secret was sealed for.
    owner: &'static str,
    /// SQL: the row that it was sealed for.
    row: &'static str,
    /// SQL: what tells the row from all others, and orders them.
    cursor: &'static str,
}

const fn of_council(table: &'static str, column: &'static str, purpose: Purpose) -> SealedColumn {
    SealedColumn { table, column, purpose, owner: "council_id", row: "id", cursor: "id" }
}

/// Every column with sealed secrets.
pub const COLUMNS: &[SealedColumn] = &[
    SealedColumn {
        table: "installation_keys",
        column: "sealed_key",
        purpose: Purpose::InstallationKey,
        owner: "'installation'",
        row: "id",
        cursor: "id",
    },
    SealedColumn {
        table: "operators",
        column: "sealed_totp",
        purpose: Purpose::TotpSeed,
        owner: "coalesce(council_id, 'installation')",
        row: "id",
        cursor: "id",
    },
    SealedColumn {
        table: "operators",
        column: "sealed_totp_pending",
        purpose: Purpose::TotpSeed,
        owner: "coalesce(council_id, 'installation')",
        row: "id",
        cursor: "id",
    },
    of_council("authorities", "sealed_key", Purpose::AuthorityKey),
    of_council("push_certificates", "sealed_key", Purpose::PushKey),
    of_council("devices", "sealed_bypass_code", Purpose::BypassCode),
    of_council("enrolments", "sealed_push_magic", Purpose::PushMagic),
    of_council("enrolments", "sealed_unlock_token", Purpose::UnlockToken),
    SealedColumn {
        table: "policy_secrets",
        column: "sealed_value",
        purpose: Purpose::PolicySecret,
        owner: "council_id",
        row: "id",
        cursor: "council_id || ' ' || id",
    },
    SealedColumn {
        table: "idempotency_keys",
        column: "sealed_answer",
        purpose: Purpose::StoredAnswer,
        owner: "council_id",
        row: "actor || ' ' || idempotency_key",
        cursor: "council_id || ' ' || actor || ' ' || idempotency_key",
    },
    SealedColumn {
        table: "google_projects",
        column: "sealed_key",
        purpose: Purpose::GoogleKey,
        owner: "'installation'",
        row: "id",
        cursor: "id",
    },
    SealedColumn {
        table: "mail_servers",
        column: "sealed_password",
        purpose: Purpose::MailPassword,
        owner: "'installation'",
        row: "id",
        cursor: "id",
    },
    // The canary comes last: while it is sealed under the old key, a rotation is not over.
    SealedColumn {
        table: "installation",
        column: "value",
        purpose: Purpose::Canary,
        owner: "'installation'",
        row: "name",
        cursor: "name",
    },
];

/// A sealed secret with what it was sealed for.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "see SealedColumn")]
pub struct SealedSecret {
    #[diesel(sql_type = Text)]
    pub owner: String,
    #[diesel(sql_type = Text)]
    pub row_name: String,
    #[diesel(sql_type = Text)]
    pub place: String,
    #[diesel(sql_type = Binary)]
    pub sealed: Vec<u8>,
}

/// Up to 200 secrets of a column, after `place`.
pub fn page(tx: &mut Transaction<'_>, column: &SealedColumn, after: &str) -> Result<Vec<SealedSecret>> {
    let SealedColumn { table, column: name, owner, row, cursor, purpose } = column;
    // The table of the installation's facts holds others that are not sealed.
    let only = if *purpose == Purpose::Canary { "AND name = 'canary'" } else { "" };
    let sql = format!(
        "SELECT {owner} AS owner, {row} AS row_name, {cursor} AS place, {name} AS sealed FROM {table} \
         WHERE {name} IS NOT NULL AND {cursor} > $1 {only} ORDER BY {cursor} LIMIT 200"
    );
    Ok(diesel::sql_query(sql).bind::<Text, _>(after).load(tx.connection)?)
}

/// Puts `new` in the place of `old`, unless it was changed meanwhile.
pub fn replace(tx: &mut Transaction<'_>, column: &SealedColumn, place: &str, old: &[u8], new: &[u8]) -> Result<()> {
    let SealedColumn { table, column: name, cursor, .. } = column;
    diesel::sql_query(format!("UPDATE {table} SET {name} = $1 WHERE {cursor} = $2 AND {name} = $3"))
        .bind::<Binary, _>(new)
        .bind::<Text, _>(place)
        .bind::<Binary, _>(old)
        .execute(tx.connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sealed_column_of_the_schema_is_listed() {
        let schema = include_str!("schema.rs");
        let mut table = "";
        let mut found = Vec::new();
        for line in schema.lines().map(str::trim) {
            if let Some((name, rest)) = line.split_once(" (")
                && rest.ends_with('{')
            {
                table = name;
            }
            if let Some((column, _)) = line.split_once(" -> ")
                && column.starts_with("sealed_")
            {
                found.push((table, column));
            }
        }
        assert!(found.len() >= 8, "the schema is read: {found:?}");
        for (table, column) in found {
            let listed = COLUMNS.iter().any(|known| (known.table, known.column) == (table, column));
            assert!(listed, "{table}.{column} must be in COLUMNS, or a rotation of the sealing key loses its secrets");
        }
    }
}
