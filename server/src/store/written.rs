//! Conditions written out in SQL word by word, since a partial index serves no bound value. Unlike one from `diesel::dsl::sql`,
//! a query with such a condition is prepared once and kept.

/// Defines a condition; its text must stand by itself, whatever it is joined to. Others may stand between its pieces.
macro_rules! written {
    ($(#[$doc:meta])* $name:ident, $start:literal $(, $other:ident, $piece:literal)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, diesel::query_builder::QueryId)]
        pub(in crate::store) struct $name;

        impl diesel::expression::Expression for $name {
            type SqlType = diesel::sql_types::Bool;
        }

        impl<Tables> diesel::expression::SelectableExpression<Tables> for $name {}

        impl<Tables> diesel::expression::AppearsOnTable<Tables> for $name {}

        impl<Grouping> diesel::expression::ValidGrouping<Grouping> for $name {
            type IsAggregate = diesel::expression::is_aggregate::Never;
        }

        impl<Database: diesel::backend::Backend> diesel::query_builder::QueryFragment<Database> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, Database>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!("(", $start));
                $(
                    diesel::query_builder::QueryFragment::<Database>::walk_ast(&$other, out.reborrow())?;
                    out.push_sql($piece);
                )*
                out.push_sql(")");
                Ok(())
            }
        }
    };
}

written!(
    /// A command that waits to be carried out.
    CommandIsOpen,
    "commands.state IN ('queued', 'sent', 'deferred')"
);
written!(
    /// The same without those that the device put off in this visit.
    CommandIsOpenNow,
    "commands.state IN ('queued', 'sent', 'deferred') AND commands.state <> 'deferred'"
);
written!(
    /// An order that may be given to its device, or that a returning device reopens.
    OrderMayLeave,
    "orders.state IN ('approved', 'pushed', 'fetched', 'unreachable', 'presumed_erased')"
);
written!(
    /// An order that is still to be decided or carried out, or that a returning device reopens.
    OrderLives,
    "orders.state IN ('requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable', 'presumed_erased')"
);
written!(
    /// A case that is not closed.
    CaseIsUnclosed,
    "cases.state <> 'closed'"
);
written!(
    /// A case of a device that was found and has not been heard from since.
    CaseAwaitsContact,
    "cases.state = 'found' AND cases.back_in_use_at IS NULL"
);
written!(
    /// There is more to see to than commands, for the enrolment that the query around it is about: an order that may leave, or a
    /// case of a device that was found and is to be heard from.
    EnrolmentHasMore,
    "EXISTS (SELECT 1 FROM orders WHERE orders.council_id = enrolments.council_id AND orders.enrolment_id = enrolments.id AND ",
    OrderMayLeave,
    ") OR EXISTS (SELECT 1 FROM cases WHERE cases.council_id = enrolments.council_id AND cases.device_id = enrolments.device_id AND ",
    CaseAwaitsContact,
    ")"
);
written!(
    /// An order that is still to be decided or carried out.
    OrderIsUnended,
    "orders.state IN ('requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable')"
);
