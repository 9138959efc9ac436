//! The page `reproduction.md` with its plots.

use std::path::Path;
use std::{fs, io};

use binfer_cli::report::machine::Machine;
use binfer_cli::report::units::{bytes, plural};

use crate::row::{Kind, Row, table};
use crate::sections::{Part, Scope, Section};

/// A report under construction.
pub(crate) struct Page {
    head: String,
    body: String,
    rows: Vec<Row>,
    plots: Vec<(&'static str, String)>,
}

impl Page {
    /// A page without sections.
    pub(crate) fn new(scope: &Scope) -> Self {
        Self { head: head(scope), body: String::new(), rows: Vec::new(), plots: Vec::new() }
    }

    /// Adds what a section found.
    pub(crate) fn add(&mut self, section: &Section, parts: Vec<Part>) {
        self.body.push_str(&format!("\n## {}\n\n{}\n", section.title, section.source));
        for part in parts {
            let text = match part {
                Part::Text(text) => format!("\n{text}\n"),
                Part::Table(table) => format!("\n{table}"),
                Part::Rows(rows) => {
                    let text = format!("\n{}", table(&rows));
                    self.rows.extend(rows);
                    text
                }
                Part::Plot(name, svg) => {
                    self.plots.push((name, svg));
                    format!("\n![{}](reproduction/{name}.svg)\n", section.title)
                }
            };
            self.body.push_str(&text);
        }
    }

    /// The exact rows that are not equal.
    pub(crate) fn unequal(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.kind == Kind::Exact && row.holds == Some(false))
    }

    /// The page, which shows the plots as `reproduction/NAME.svg`.
    pub(crate) fn markdown(&self) -> String {
        let of = |kind, holds| {
            let such = |row: &&Row| row.kind == kind && row.holds == Some(holds);
            self.rows.iter().filter(such).count() as u64
        };
        let verdict = |kind: Kind, what: &str, holds: &str| {
            let (yes, no) = (of(kind, true), of(kind, false));
            let but = if no == 0 { String::new() } else { format!(", **{no} not**") };
            format!("{} {holds}{but}", plural(yes, what))
        };
        format!(
            "# Reproduction\n\n{}\n\n{}; {}.\n{}",
            self.head,
            verdict(Kind::Exact, "exact row", "equal"),
            verdict(Kind::Law, "law", "shown"),
            self.body
        )
    }

    /// Writes the page and the plots into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let plots = folder.join("reproduction");
        fs::create_dir_all(&plots)?;
        fs::write(folder.join("reproduction.md"), self.markdown())?;
        for (name, svg) in &self.plots {
            fs::write(plots.join(format!("{name}.svg")), svg)?;
        }
        Ok(())
    }
}

/// What was done, where, and how to read it.
fn head(scope: &Scope) -> String {
    let machine = Machine::this();
    let memory =
        machine.memory_bytes.map_or_else(String::new, |b| format!(", {} of memory", bytes(b)));
    let quick = if scope.quick {
        "**This was a quick run**: its times rest on very few samples each.\n\n"
    } else {
        ""
    };
    format!(
        "The tables of the papers that this backend stands on, measured and checked again. This \
         page and its plots are written by `cargo run --release -p binfer-benches --bin \
         reproduce`; nothing in it is written by hand. `--only SECTION` runs a part, \
         `--max-log-size` bounds the data (here 2^{} bits, where memory is free for them).\n\n{quick}\
         Ours are measured with version {} on {}, {}, {}, {}{memory}, backend `{}`. The machine is \
         shared: times are the least of several runs, on one thread unless a row says otherwise.\n\n\
         Each row is of one kind:\n\n\
         - **exact**: the same on every machine; it has to be equal, and the command fails if it \
         is not;\n\
         - **law**: a shape; it has to follow the law that stands beside it, loosely, and is \
         reported if it does not;\n\
         - **machine**: a time or a rate of one machine. It stands beside a figure of another \
         machine to show orders of magnitude, and its shape is checked by the laws of its section.",
        scope.max_log_size,
        env!("CARGO_PKG_VERSION"),
        machine.cpu,
        machine.architecture,
        machine.system,
        plural(machine.threads as u64, "thread"),
        machine.backend,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sections::SECTIONS;

    #[test]
    fn rows_that_are_not_equal_are_told() {
        let mut page = Page::new(&Scope { max_log_size: 20, quick: true });
        let rows = vec![
            Row::exact("a", 1, 1),
            Row::exact("b", 1, 2),
            Row::law("c", "at most 1", 2, false),
            Row::machine("d", "1 s", "any", "2 s"),
        ];
        page.add(&SECTIONS[0], vec![Part::Rows(rows), Part::Plot("p", "<svg/>".into())]);
        let unequal: Vec<String> = page.unequal().map(Row::to_string).collect();
        assert_eq!(unequal, ["b: 1, here 2"]);
        let text = page.markdown();
        assert!(text.contains("1 exact row equal, **1 not**; 0 laws shown, **1 not**."));
        assert!(text.contains("| b | 1 | any | 2 | exact | **no** |"));
        assert!(text.contains("](reproduction/p.svg)"));
    }
}
