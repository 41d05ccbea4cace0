//! Enums that the database, the API and the command line all write as the same plain words.

/// Defines an enum with one text per variant, for SQL, JSON and the command line alike.
macro_rules! text_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        // Written out, because utoipa's derive does not see the serde names that come from a macro.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(Self::ALL.iter().map(|value| value.as_str())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!("\"{other}\" is not one of: {}", [$($text),+].join(", "))),
                }
            }
        }

        impl<Db> diesel::serialize::ToSql<diesel::sql_types::Text, Db> for $name
        where
            Db: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, Db>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, Db>,
            ) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, Db>>::to_sql(self.as_str(), out)
            }
        }

        impl<Db> diesel::deserialize::FromSql<diesel::sql_types::Text, Db> for $name
        where
            Db: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, Db>,
        {
            fn from_sql(bytes: Db::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = String::from_sql(bytes)?;
                text.parse().map_err(|problem: String| problem.into())
            }
        }
    };
}
pub(crate) use text_enum;

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema as _;

    #[test]
    fn the_description_of_the_api_says_the_words_that_it_takes() {
        let schema = serde_json::to_value(crate::model::Role::schema()).expect("a schema");
        assert_eq!(schema["enum"], serde_json::json!(["provider", "clerk", "approver", "auditor"]));
    }
}
