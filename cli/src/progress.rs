//! Phases of a computation: their times, and a line about them on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A clock that runs through named phases.
pub(crate) struct Phases {
    bar: ProgressBar,
    running: Option<(&'static str, Instant)>,
    done: Vec<(&'static str, Duration)>,
}

impl Phases {
    /// A clock that shows what it times on standard error, if that is a terminal.
    pub(crate) fn shown() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed_precise}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::on(bar)
    }

    /// A clock that shows nothing.
    pub(crate) fn hidden() -> Self {
        Self::on(ProgressBar::hidden())
    }

    fn on(bar: ProgressBar) -> Self {
        Self { bar, running: None, done: Vec::new() }
    }

    /// Ends the current phase and begins another.
    pub(crate) fn start(&mut self, name: &'static str) {
        self.stop();
        self.bar.set_message(name);
        self.running = Some((name, Instant::now()));
    }

    /// Shows how many parts of the current phase are done, of how many.
    pub(crate) fn reach(&self, done: usize, all: usize) {
        if let Some((name, _)) = self.running {
            self.bar.set_message(format!("{name} ({done} of {all})"));
        }
    }

    fn stop(&mut self) {
        if let Some((name, since)) = self.running.take() {
            let known = self.done.iter_mut().find(|(known, _)| *known == name);
            match known {
                Some((_, time)) => *time += since.elapsed(),
                None => self.done.push((name, since.elapsed())),
            }
        }
    }

    /// Ends the last phase; all of them in the order of their first start, with their times.
    pub(crate) fn finish(mut self) -> Vec<(&'static str, Duration)> {
        self.stop();
        self.bar.finish_and_clear();
        self.done
    }
}

/// A duration with three digits and its unit.
pub(crate) fn human(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    let (value, unit) = match s {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "us"),
        s => (s * 1e9, "ns"),
    };
    let digits = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}
