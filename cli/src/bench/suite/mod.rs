//! `binfer bench suite`: every standard workload, each in a process of its own, and a report.

mod case;
mod figures;
mod page;
mod peers;
mod results;
mod sections;
mod targets;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Effort, Measurement, Task, TestSet};
use crate::failure::Failure;
use crate::files;
use crate::inputs;
use crate::report::machine::Machine;
use case::Case;
use page::Page;
use results::Results;
use sections::{SECTIONS, Scope};

/// Largest matrix of the growth series, as a logarithm of its weights, and that of a quick run.
const LOG_WEIGHTS: u32 = 27;
const QUICK_LOG_WEIGHTS: u32 = 20;

/// How often all workloads but networks are measured, one after the other: a server's other load comes and goes within minutes, and
/// of what is compared both should have met it.
const ROUNDS: u32 = 3;

/// Measure every standard workload, each in a process of its own, and report
///
/// Without --json and --out the report is printed, without its plots.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Fewer and shorter measurements: within a minute, for a first look
    #[arg(long)]
    quick: bool,
    /// Write DIR/benchmarks.md and the plots DIR/benchmarks/*.svg
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Largest matrix of the growth series, as a logarithm of its weights; 27, or 20 if quick
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=27))]
    max_log_weights: Option<u32>,
    /// Measure networks too: each FOLDER/NAME.onnx or NAME.binfer on the batch FOLDER/NAME.npy, or NAME.INPUT.npy for each of
    /// several inputs; its accuracy on FOLDER/NAME.test.npy, or NAME.test.INPUT.npy for each, with NAME.labels.npy,
    /// NAME.expected.npy, or both
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// Measure for these sections alone
    #[arg(long, value_name = "SECTION", value_parser = section_names())]
    only: Vec<String>,
    /// Measure nothing: report on what an earlier run printed with --json
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "max_log_weights", "models", "only"])]
    from: Option<PathBuf>,
}

impl Args {
    /// How long a workload is measured where nothing else is asked for.
    pub(super) fn default_effort(&self) -> Effort {
        if self.quick {
            Effort { runs: 1, time: Duration::from_millis(200) }
        } else {
            Effort { runs: 3, time: Duration::from_secs(3) }
        }
    }

    /// Measures or reads, and reports.
    pub(super) fn run(
        &self,
        effort: Effort,
        json: bool,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let results = match &self.from {
            Some(path) => {
                let bytes = files::read(path)?;
                serde_json::from_slice(&bytes).map_err(|e| Failure::malformed(path, e))?
            }
            None => self.measure(effort)?,
        };
        let page = Page::new(&results);
        if let Some(folder) = &self.out {
            let plots = folder.join("benchmarks");
            fs::create_dir_all(&plots)
                .map_err(|source| Failure::Io { path: plots.clone(), source })?;
            files::write(&folder.join("benchmarks.md"), page.markdown.as_bytes())?;
            for (name, svg) in &page.plots {
                files::write(&plots.join(format!("{name}.svg")), svg.as_bytes())?;
            }
        }
        if json {
            writeln!(out, "{}", serde_json::to_string_pretty(&results)?)?;
        } else if self.out.is_none() {
            write!(out, "{}", page.markdown)?;
        }
        Ok(())
    }

    fn measure(&self, effort: Effort) -> Result<Results, Failure> {
        let machine = Machine::this();
        let largest = if self.quick { QUICK_LOG_WEIGHTS } else { LOG_WEIGHTS };
        let max_log_weights = self.max_log_weights.unwrap_or(largest);
        let models = self.models.as_deref().map_or(Ok(Vec::new()), models)?;
        let scope = Scope { max_log_weights, threads: rayon::current_num_threads(), models };
        let cases = cases(&scope, &machine, &self.only);
        let rounds = if self.quick { 1 } else { ROUNDS };
        let share = Effort { runs: effort.runs.div_ceil(rounds), time: effort.time / rounds };
        let is_network = |case: &Case| matches!(case.task, Task::Model { .. });
        let networks = cases.iter().filter(|case| is_network(case)).count();
        let bar = ProgressBar::new((rounds as usize * (cases.len() - networks) + networks) as u64);
        if let Ok(style) =
            ProgressStyle::with_template("[{elapsed_precise}] {wide_bar} {pos}/{len} {msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let mut measured = vec![Vec::new(); cases.len()];
        for round in 0..rounds {
            for (case, measured) in cases.iter().zip(&mut measured) {
                let effort = if is_network(case) { effort } else { share };
                if round > 0 && is_network(case) {
                    continue;
                }
                bar.set_message(case.to_string());
                measured.push(case.measure(effort)?);
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        let measurements = measured.into_iter().filter_map(Measurement::of_rounds).collect();
        Ok(Results {
            version: env!("CARGO_PKG_VERSION").into(),
            machine,
            quick: self.quick,
            rounds,
            least_runs: effort.runs,
            least_seconds: effort.time.as_secs_f64(),
            measurements,
        })
    }
}

/// The networks of a folder, by name.
fn models(folder: &Path) -> Result<Vec<Task>, Failure> {
    let failed = |source| Failure::Io { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<io::Result<Vec<_>>>();
    let mut files: Vec<PathBuf> = entries.map_err(failed)?.iter().map(|e| e.path()).collect();
    let is_model = |extension: &OsStr| ["onnx", "binfer"].iter().any(|known| extension == *known);
    files.retain(|file| file.extension().is_some_and(is_model));
    files.sort();
    let task = |file: PathBuf| Task::Model {
        test: TestSet::beside(&file),
        input: inputs::beside(&file),
        file,
    };
    Ok(files.into_iter().map(task).collect())
}

/// The words that `--only` knows.
fn section_names() -> PossibleValuesParser {
    PossibleValuesParser::new(SECTIONS.iter().map(|section| section.name))
}

/// What the sections named, or all if none is, ask for: each case once.
fn cases(scope: &Scope, machine: &Machine, only: &[String]) -> Vec<Case> {
    let asked = SECTIONS.iter().filter(|s| only.is_empty() || only.iter().any(|o| o == s.name));
    let mut cases: Vec<Case> = Vec::new();
    for case in asked.flat_map(|section| (section.cases)(scope)) {
        if case.threads <= scope.threads && !cases.iter().any(|c| c.is_same(&case, machine)) {
            cases.push(case);
        }
    }
    cases
}
