//! A stopwatch for one thread that others' work on the same processor stops, where the system tells.

use std::fs;
use std::time::{Duration, Instant};

/// Below this the thread's own time, which the system brings up to date every few milliseconds, says
/// less than the time that passed.
const SHORT: Duration = Duration::from_millis(50);

/// A stopwatch that was started.
pub(crate) struct Stopwatch {
    start: Instant,
    on_processor: Option<Duration>,
}

impl Stopwatch {
    /// Starts it, for the current thread.
    pub(crate) fn start() -> Self {
        Self { on_processor: on_processor(), start: Instant::now() }
    }

    /// What passed for the thread that started it: of long times only what it had the processor for.
    ///
    /// Precondition: that thread asks.
    pub(crate) fn elapsed(&self) -> Duration {
        let wall = self.start.elapsed();
        if wall < SHORT {
            return wall;
        }
        let own = on_processor().zip(self.on_processor).map(|(now, then)| now.saturating_sub(then));
        own.map_or(wall, |own| own.min(wall))
    }
}

/// How long the current thread has had a processor (Linux).
fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_not_work() {
        let watch = Stopwatch::start();
        std::thread::sleep(2 * SHORT);
        let elapsed = watch.elapsed();
        assert!(elapsed < SHORT || on_processor().is_none(), "{elapsed:?}");
    }
}
