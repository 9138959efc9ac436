//! `binfer bench`: times and sizes of the standard workloads, every proof verified.

mod accuracy;
mod committed;
mod measure;
mod measurement;
mod suite;
mod workload;

use std::io::Write;
use std::time::Duration;

use crate::awake;
use crate::failure::Failure;
use crate::size::Size;
pub use accuracy::{Accuracy, Agreement, TestSet};
pub use committed::Committed;
pub(crate) use measure::peak_rss_bytes;
pub use measure::{Effort, measure};
pub use measurement::{Measurement, PhaseTimes};
pub use workload::{Shape, ShapeError, Task};

/// Time a workload: native inference, commitment, proof and verification; or time them all.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// Least number of runs after a first, of whose times the median and the minimum are reported; 3 if absent
    #[arg(long, global = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: Option<u32>,
    /// Least number of seconds to spend on runs
    #[arg(long, global = true, value_name = "S", value_parser = seconds)]
    seconds: Option<Duration>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Most memory for a proof of a task, as in 800M or 2G
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<Size>,
}

#[derive(clap::Subcommand)]
enum What {
    #[command(flatten)]
    Task(Task),
    Suite(suite::Args),
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let effort = |default: Effort| Effort {
            runs: self.runs.unwrap_or(default.runs),
            time: self.seconds.unwrap_or(default.time),
        };
        let task = match &self.what {
            What::Task(task) => task,
            What::Suite(suite) => {
                return suite.run(effort(suite.default_effort()), self.json, out);
            }
        };
        awake::keep();
        let effort = effort(Effort { runs: 3, time: Duration::ZERO });
        let measurement = measure(task, effort, self.max_memory)?;
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&measurement)?)?;
        } else {
            measurement.print(out)?;
        }
        Ok(())
    }
}

/// A number of seconds, at most an hour.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let valid = text.parse().ok().filter(|s| (0.0..=3600.0).contains(s));
    valid.map(Duration::from_secs_f64).ok_or("a number from 0 to 3600 is expected")
}
