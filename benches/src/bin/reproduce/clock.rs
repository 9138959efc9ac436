//! How figures are timed, and a line on the terminal about it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A sample takes at least this long, so that reading the clock is no part of it.
const SAMPLE: Duration = Duration::from_micros(50);

/// How long a figure is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Least time of all samples.
    pub(crate) time: Duration,
    /// Least number of samples.
    pub(crate) runs: u32,
}

/// The clock and its line on the terminal.
pub(crate) struct Clock {
    effort: Effort,
    bar: ProgressBar,
    section: String,
    is_first: bool,
}

impl Clock {
    /// A clock for so many sections.
    pub(crate) fn new(effort: Effort, n_sections: usize) -> Self {
        let bar = ProgressBar::new(n_sections as u64);
        if let Ok(style) =
            ProgressStyle::with_template("[{elapsed_precise}] {wide_bar} {pos}/{len} {msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { effort, bar, section: String::new(), is_first: true }
    }

    /// How long a figure is measured.
    pub(crate) fn effort(&self) -> Effort {
        self.effort
    }

    /// The next section begins.
    pub(crate) fn section(&mut self, name: &str) {
        if !self.is_first {
            self.bar.inc(1);
        }
        self.is_first = false;
        name.clone_into(&mut self.section);
        self.says("");
    }

    /// Shows what is being measured.
    pub(crate) fn says(&self, what: &str) {
        self.bar.set_message(format!("{}: {what}", self.section));
    }

    /// Nothing more is measured.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }

    /// The least nanoseconds of a call, over samples of many calls each if they are short.
    pub(crate) fn least_ns<T>(&self, mut run: impl FnMut() -> T) -> f64 {
        let mut sample = |calls: u32| {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(run());
            }
            start.elapsed()
        };
        // The first call warms caches up and tells how many make a sample.
        let once = sample(1).max(Duration::from_nanos(1));
        let calls = (SAMPLE.as_nanos() / once.as_nanos()).clamp(0, 1 << 20) as u32 + 1;
        let (start, mut least, mut runs) = (Instant::now(), Duration::MAX, 0);
        while runs < self.effort.runs || start.elapsed() < self.effort.time {
            least = least.min(sample(calls));
            runs += 1;
        }
        least.as_nanos() as f64 / f64::from(calls)
    }
}
