//! Tables in Markdown.

use std::fmt;

/// A table, its first column text and all others figures.
pub struct Table {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns from the left that hold text.
    text_columns: usize,
}

impl Table {
    /// A table whose first `text_columns` columns are aligned left, the others right.
    pub fn new(text_columns: usize, titles: &[&str]) -> Self {
        let titles = titles.iter().map(|&title| title.to_owned()).collect();
        Self { titles, rows: Vec::new(), text_columns }
    }

    /// Adds a row. Precondition: as many cells as titles.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        debug_assert_eq!(cells.len(), self.titles.len());
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        writeln!(f, "{}", line(&self.titles))?;
        let alignment = |i| if i < self.text_columns { "---|" } else { "---:|" };
        let alignments: String = (0..self.titles.len()).map(alignment).collect();
        writeln!(f, "|{alignments}")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{}", line(row)))
    }
}

/// The text of a figure that may be missing.
pub fn cell<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "–".into(), text)
}
