//! Times of native inference.

use std::time::{Duration, Instant};

use rayon::ThreadPoolBuildError;

use super::{Native, Tensor};

/// The time of native inference: the smaller of those on one thread and on all, since small matmuls
/// lose more by threads than they gain.
pub(crate) fn time_inference(
    native: &Native<'_>,
    input: &Tensor,
    batch: usize,
) -> Result<Duration, ThreadPoolBuildError> {
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let on_all = time(|| native.run(input, batch));
    Ok(on_all.min(single.install(|| time(|| native.run(input, batch)))))
}

/// The median time of `f`, over at least 5 calls and about 50 ms of them.
fn time<T>(mut f: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || start.elapsed() < Duration::from_millis(50) {
        let start = Instant::now();
        std::hint::black_box(f());
        times.push(start.elapsed());
    }
    median(times)
}

/// The middle of some times. Precondition: there are any.
pub(crate) fn median<T: Ord + Copy>(mut times: Vec<T>) -> T {
    times.sort_unstable();
    times[times.len() / 2]
}
