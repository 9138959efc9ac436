//! Rows of the report: what others publish, what is found here, and whether that is as it should be.

use std::fmt::{self, Display};

use binfer_cli::report::table::Table;

/// How a figure may be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Independent of the machine: it has to be equal, digit for digit.
    Exact,
    /// A shape: it has to follow the law that its row names.
    Law,
    /// A time or what follows from it: it speaks of a machine and is not compared.
    Machine,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Law => "law",
            Self::Machine => "machine",
        }
    }
}

/// Whose figure it is, and on what.
pub(crate) mod hardware {
    /// The authors of DP23 and DP24.
    pub(crate) const AUTHORS: &str = "i9-13900H, one thread";
    /// Programs of others, run by this project.
    pub(crate) const SAME_KIND: &str = "this kind of server, one thread";
    /// A number that is the same on all machines.
    pub(crate) const NONE: &str = "any";
}

/// A figure of a paper beside ours.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What it is of.
    pub(crate) what: String,
    /// The published figure, or the law.
    pub(crate) original: String,
    /// What that was measured on.
    pub(crate) hardware: &'static str,
    /// What is found here.
    pub(crate) ours: String,
    /// How they compare.
    pub(crate) kind: Kind,
    /// Whether they do, if that can be said.
    pub(crate) holds: Option<bool>,
}

impl Row {
    /// A row that holds where both texts are the same.
    pub(crate) fn exact(what: impl Display, original: impl Display, ours: impl Display) -> Self {
        let (original, ours) = (original.to_string(), ours.to_string());
        let holds = Some(original == ours);
        let hardware = hardware::NONE;
        Self { what: what.to_string(), original, hardware, ours, kind: Kind::Exact, holds }
    }

    /// A law, what is found, and whether that follows it.
    pub(crate) fn law(
        what: impl Display,
        law: impl Display,
        ours: impl Display,
        holds: bool,
    ) -> Self {
        Self {
            what: what.to_string(),
            original: law.to_string(),
            hardware: hardware::NONE,
            ours: ours.to_string(),
            kind: Kind::Law,
            holds: Some(holds),
        }
    }

    /// A figure that depends on the machine.
    pub(crate) fn machine(
        what: impl Display,
        original: impl Display,
        hardware: &'static str,
        ours: impl Display,
    ) -> Self {
        Self {
            what: what.to_string(),
            original: original.to_string(),
            hardware,
            ours: ours.to_string(),
            kind: Kind::Machine,
            holds: None,
        }
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, here {}", self.what, self.original, self.ours)
    }
}

/// The rows as a table.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(3, &["figure", "original", "on", "ours", "kind", "holds"]);
    for row in rows {
        let holds = match row.holds {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        table.row([
            row.what.clone(),
            row.original.clone(),
            row.hardware.into(),
            row.ours.clone(),
            row.kind.name().into(),
            holds.into(),
        ]);
    }
    table
}
