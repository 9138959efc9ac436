//! What the papers report and what this code does: one command measures, checks and writes the page.

#![forbid(unsafe_code)]

mod clock;
mod page;
mod row;
mod sections;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use clock::{Clock, Effort};
use page::Page;
use sections::{SECTIONS, Scope};

/// Where the page goes by default: the book.
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Regenerates the tables of the papers: docs/reproduction.md and its plots.
///
/// Exit status: 0 if every exact row is equal, 1 if one is not, 2 if something could not be measured.
#[derive(Parser)]
struct Args {
    /// These sections alone, printed unless --out says where to write them
    #[arg(long, value_name = "SECTION", value_parser = section_names())]
    only: Vec<String>,
    /// Most data to commit to at once, as a logarithm of bits; less where free memory is too little
    #[arg(long, value_name = "N", default_value = "34",
          value_parser = clap::value_parser!(u32).range(16..=36))]
    max_log_size: u32,
    /// Write DIR/reproduction.md and DIR/reproduction/*.svg; the book of this repository if absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Few and short runs: that everything works, not how fast
    #[arg(long)]
    quick: bool,
}

fn section_names() -> PossibleValuesParser {
    PossibleValuesParser::new(SECTIONS.iter().map(|section| section.name))
}

impl Args {
    /// Whether every exact row is equal.
    fn run(&self) -> Result<bool, Box<dyn Error>> {
        let effort = if self.quick {
            Effort { time: Duration::from_millis(2), runs: 1 }
        } else {
            Effort { time: Duration::from_millis(300), runs: 5 }
        };
        let scope = Scope { max_log_size: self.max_log_size, quick: self.quick };
        let asked = |name: &str| self.only.is_empty() || self.only.iter().any(|o| o == name);
        let sections: Vec<_> = SECTIONS.iter().filter(|section| asked(section.name)).collect();
        let mut clock = Clock::new(effort, sections.len());
        let mut page = Page::new(&scope);
        for section in sections {
            clock.section(section.name);
            page.add(section, (section.run)(&scope, &mut clock)?);
        }
        clock.finish();
        let folder = match &self.out {
            Some(folder) => Some(folder.clone()),
            None => self.only.is_empty().then(|| PathBuf::from(DOCS)),
        };
        match folder {
            Some(folder) => page.write(&folder)?,
            None => io::stdout().write_all(page.markdown().as_bytes())?,
        }
        for row in page.unequal() {
            writeln!(io::stderr(), "not equal: {row}")?;
        }
        Ok(page.unequal().next().is_none())
    }
}

fn main() -> ExitCode {
    match Args::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Where standard error is gone too, the exit status still tells.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}
