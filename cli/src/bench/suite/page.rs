//! The report: a page in Markdown and its plots.

use super::results::Results;
use super::sections::SECTIONS;
use super::targets;
use crate::report::units::{bytes, plural};

/// A report to be written.
pub(super) struct Page {
    /// The page, which shows the plots as `benchmarks/NAME.svg`.
    pub(super) markdown: String,
    /// The plots by name, as SVG files.
    pub(super) plots: Vec<(&'static str, String)>,
}

impl Page {
    /// The report on `results`; sections of which nothing was measured are left out.
    pub(super) fn new(results: &Results) -> Self {
        let (targets, missed) = targets::table(results);
        let verdict = match missed {
            [0, _] => "Every target that was measured is reached.".into(),
            [n, least] => {
                let missed = if n == 1 {
                    "One target is missed".into()
                } else {
                    format!("{n} targets are missed")
                };
                let least = if least == 0 { "none".into() } else { least.to_string() };
                format!(
                    "**{missed}**, and {least} by the least times, which other load on the machine does not lengthen."
                )
            }
        };
        let mut page = Self {
            markdown: format!(
                "# Benchmarks\n\n{}\n\n## Targets\n\n{verdict}\n\n{targets}",
                head(results)
            ),
            plots: Vec::new(),
        };
        for section in SECTIONS.iter().filter(|section| section.is_measured(results)) {
            let rendered = (section.render)(results);
            page.markdown.push_str(&format!("\n## {}\n\n{}", section.title, rendered.text));
            if !rendered.text.ends_with('\n') {
                page.markdown.push('\n');
            }
            for (name, svg) in rendered.plots {
                let image = format!("\n![{}](benchmarks/{name}.svg)\n", section.title);
                page.markdown.push_str(&image);
                page.plots.push((name, svg));
            }
        }
        page
    }
}

/// What was measured, where, how, and how far to trust it.
fn head(results: &Results) -> String {
    let machine = &results.machine;
    let (quickly, quick) = if results.quick {
        (" --quick", "**This was a quick run**: its figures rest on very few runs each.\n\n")
    } else {
        ("", "")
    };
    let models = if results.models().is_empty() { "" } else { " --models FOLDER" };
    let memory =
        machine.memory_bytes.map_or_else(String::new, |b| format!(", {} of memory", bytes(b)));
    let noise = results.noise().map_or_else(String::new, |(middle, worst)| {
        format!(
            " The median time to prove lies {:.0}% above the minimum in the middle of all \
             workloads, and {:.0}% above it in the worst: that is the noise of this run.",
            100.0 * middle,
            100.0 * worst
        )
    });
    format!(
        "This page and its plots are written by `binfer bench suite{quickly}{models} --out DIR`; nothing in it is written by hand. \
         The same command with `--json` prints every figure.\n\n{quick}\
         Measured with version {} on {}, {}, {}, {}{memory}, backend `{}`. Each \
         workload ran in a process of its own, once and then again and again for {} seconds and at least {}, \
         {}; every proof was verified. Times are medians, \"least\" is the minimum; the first run, which pays \
         for memory that is new to its process, counts where a column says so and nowhere else.{noise}\n\n\
         Memory is the most that the process held, program and model included. Soundness is \
         the sum of all error terms that the verifier states. Single kernels are measured by \
         `cargo bench --package binfer-benches`.",
        results.version,
        machine.cpu,
        machine.architecture,
        machine.system,
        plural(machine.threads as u64, "thread"),
        machine.backend,
        results.least_seconds,
        plural(results.least_runs.into(), "time"),
        match results.rounds {
            1 => "at once".into(),
            n => format!(
                "networks at once and others in {n} rounds over all of them, of which the median counts"
            ),
        },
    )
}
