//! Statements that are prepared once for a connection and kept. Diesel writes the SQL of every UPDATE anew and has the database
//! compile it each time, which on the path of every device costs more than carrying it out.

/// Defines a statement: its text in pieces, a bound value before each piece but the first.
/// The values are bound in the order of the text, which both databases count alike.
macro_rules! kept {
    ($(#[$doc:meta])* $name:ident: $start:literal $(, $field:ident: $sql_type:ty = $rust_type:ty, $piece:literal)* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::store) struct $name<'a> {
            $(pub(in crate::store) $field: &'a $rust_type,)*
        }

        // The text is one for all values, so its type names it.
        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl<'a, Database> diesel::query_builder::QueryFragment<Database> for $name<'a>
        where
            Database: diesel::backend::Backend,
            $(Database: diesel::sql_types::HasSqlType<$sql_type>, $rust_type: diesel::serialize::ToSql<$sql_type, Database>,)*
        {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, Database>,
            ) -> diesel::QueryResult<()> {
                out.push_sql($start);
                $(
                    out.push_bind_param::<$sql_type, $rust_type>(self.$field)?;
                    out.push_sql($piece);
                )*
                Ok(())
            }
        }

        impl<Connection> diesel::query_dsl::RunQueryDsl<Connection> for $name<'_> {}

        impl $name<'_> {
            /// Carries it out; says how many rows it changed.
            pub(in crate::store) fn run(self, tx: &mut crate::store::Transaction<'_>) -> diesel::QueryResult<usize> {
                crate::store::connection::directly!(tx, |connection| diesel::RunQueryDsl::execute(self, connection))
            }
        }
    };
}

pub(in crate::store) use kept;
