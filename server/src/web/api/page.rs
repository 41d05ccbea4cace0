//! Long lists, page by page: `?after=…&limit=…` in, `{items, next}` out.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How many items a page has unless asked.
const DEFAULT: i64 = 50;
/// The most that a page has.
const MOST: i64 = 200;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The `next` of the page before; nothing for the first page.
    pub(crate) after: Option<String>,
    /// How many items, 1 to 200; 50 unless given.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(crate) limit: Option<i64>,
}

impl PageQuery {
    /// How many items were asked for.
    pub(crate) fn limit(&self) -> Result<i64> {
        match self.limit.unwrap_or(DEFAULT) {
            limit if (1..=MOST).contains(&limit) => Ok(limit),
            _ => Err(Error::invalid("limit", format!("must be 1 to {MOST}"))),
        }
    }

    /// How many rows to read: one more than asked for, which tells whether there is a next page.
    pub(crate) fn rows(&self) -> Result<i64> {
        self.limit().map(|limit| limit + 1)
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    /// The items, oldest first.
    pub(crate) items: Vec<T>,
    /// What to give as `after` for the next page; nothing on the last.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// A page from the rows that `query.rows()` asked for; `cursor` tells a row's place.
    pub(crate) fn of<R>(
        query: &PageQuery,
        mut rows: Vec<R>,
        cursor: impl Fn(&R) -> String,
        show: impl FnMut(R) -> T,
    ) -> Result<Self> {
        let limit = usize::try_from(query.limit()?).unwrap_or(1);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Ok(Self { items: rows.into_iter().map(show).collect(), next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_named_only_where_there_is_one() {
        let query = PageQuery { after: None, limit: Some(2) };
        let page = Page::of(&query, vec![1, 2, 3], ToString::to_string, |row| row).expect("a page");
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        let page = Page::of(&query, vec![1, 2], ToString::to_string, |row| row).expect("a page");
        assert_eq!(page.next, None);
        for limit in [0, 201, -1] {
            assert!(PageQuery { after: None, limit: Some(limit) }.limit().is_err());
        }
    }
}
