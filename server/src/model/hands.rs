//! Whose hands an account has been in: what tells two people from one person with two accounts.

use std::collections::BTreeSet;
use std::fmt;

/// More labels than this are no longer told apart.
const MOST: usize = 100;

/// Stands for more than [`MOST`] labels.
const ANYONE: &str = "anyone";

/// The labels of all who could sign in as someone. Stored as they are shown: between spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hands(BTreeSet<String>);

impl Hands {
    /// Those that a stored text names.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// These and `label`.
    #[must_use]
    pub fn and(mut self, label: &str) -> Self {
        self.0.insert(label.to_owned());
        self.bounded()
    }

    /// These and `others`.
    #[must_use]
    pub fn and_all(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self.bounded()
    }

    /// A row must not grow without end: beyond the bound they count as everyone's, which only ever refuses more.
    fn bounded(self) -> Self {
        if self.0.len() > MOST || self.0.contains(ANYONE) { Self(BTreeSet::from([ANYONE.to_owned()])) } else { self }
    }

    /// Whether someone is among both.
    #[must_use]
    pub fn meet(&self, others: &Self) -> bool {
        let anyone = |one: &Self, other: &Self| one.0.contains(ANYONE) && !other.0.is_empty();
        anyone(self, others) || anyone(others, self) || !self.0.is_disjoint(&others.0)
    }
}

impl fmt::Display for Hands {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, label) in self.0.iter().enumerate() {
            if place > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(label)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_meet_where_a_label_is_in_both() {
        let one = Hands::default().and("operator:a").and("local");
        let two = Hands::default().and("operator:b");
        assert!(!one.meet(&two) && !two.meet(&one));
        assert!(!one.meet(&Hands::default()));
        let both = two.clone().and_all(&one);
        assert!(both.meet(&one) && one.meet(&both));
        assert_eq!(both.to_string(), "local operator:a operator:b");
        assert_eq!(Hands::read(&both.to_string()), both);
        assert_eq!(Hands::read("  "), Hands::default());
    }

    #[test]
    fn too_many_count_as_everyones_and_stay_so() {
        let many = (0..101).fold(Hands::default(), |hands, number| hands.and(&format!("operator:{number}")));
        assert_eq!(many.to_string(), "anyone");
        let stranger = Hands::default().and("operator:x");
        assert!(many.meet(&stranger) && stranger.meet(&many));
        let later = Hands::read(&many.to_string()).and("local");
        assert!(later.meet(&stranger), "one more label does not narrow it");
    }
}
