//! The results: what was measured, what was wanted, and whether it was met.

use std::fmt;

/// What was wanted of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Nothing: it is shown beside another.
    None,
    /// Not more than this.
    AtMost(f64),
}

struct Row {
    what: String,
    figure: f64,
    unit: &'static str,
    target: Target,
}

impl Row {
    fn met(&self) -> Option<bool> {
        match self.target {
            Target::None => None,
            Target::AtMost(most) => Some(self.figure <= most),
        }
    }
}

/// All figures of a run.
pub(crate) struct Table {
    title: String,
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: &str, figure: f64, unit: &'static str, target: Target) {
        // Told at once, too: a run that breaks off has not been for nothing.
        println!("{what}: {figure:.2} {unit}");
        self.rows.push(Row { what: what.to_owned(), figure, unit, target });
    }

    /// Whether no target was missed.
    pub(crate) fn met(&self) -> bool {
        self.rows.iter().all(|row| row.met() != Some(false))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n", self.title)?;
        writeln!(formatter, "| {:<58} | {:>10} | {:>10} | {:<6} |", "CPU or memory", "measured", "target", "")?;
        writeln!(formatter, "|:{:-<58}-|-{:->10}:|-{:->10}:|:{:-<6}-|", "", "", "", "")?;
        for row in &self.rows {
            let (unit, places) = (row.unit, if row.figure < 10.0 { 2 } else { 0 });
            let measured = format!("{:.places$} {unit}", row.figure);
            let target = match row.target {
                Target::None => String::new(),
                Target::AtMost(most) => format!("{most} {unit}"),
            };
            let verdict = match row.met() {
                None => "",
                Some(true) => "met",
                Some(false) => "MISSED",
            };
            writeln!(
                formatter,
                "| {:<58} | {:>10} | {:>10} | {verdict:<6} |",
                row.what,
                measured.trim(),
                target.trim()
            )?;
        }
        Ok(())
    }
}
