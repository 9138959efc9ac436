//! What it takes to commit to coefficients of a width, on one thread.

use std::time::Duration;

use binfer_pcs::tensor_code;
use binfer_pcs::{Params, commit, log_row_for};

use crate::stopwatch::Stopwatch;
use crate::{bytes, elements};

/// The least time of `repeats` commitments by `binfer_pcs` to `2^log_coefficients` coefficients of `2^log_width`
/// bits each, which fill words of 128 bits. The data are made and copied outside the time.
///
/// # Panics
/// If the coefficients do not fill a word, or there is no thread to be had.
pub fn words_commit_time(
    params: &Params,
    log_coefficients: u32,
    log_width: u32,
    repeats: usize,
) -> Duration {
    let log_words =
        (log_coefficients + log_width).checked_sub(7).expect("coefficients fill a word");
    let words = elements(1 << log_words, 1);
    let log_row = log_row_for(params, words.len());
    least_time(repeats, || words.clone(), |words| commit(params, log_row, words))
}

/// The least time of `repeats` commitments by a tensor code, whose parameters say how many coefficients there are and
/// of which width. The data are made and copied outside the time.
///
/// # Panics
/// If the parameters are invalid, or there is no thread to be had.
pub fn tensor_commit_time(params: &tensor_code::Params, repeats: usize) -> Duration {
    let matrix = bytes(params.message_bytes() as usize, 1);
    least_time(repeats, || matrix.clone(), |matrix| tensor_code::commit(params, matrix))
}

/// The least time of `work` on what `prepare` makes, on one thread, without what others do on its processor.
fn least_time<T: Send, R: Send>(
    repeats: usize,
    prepare: impl Fn() -> T,
    work: impl Fn(T) -> R + Sync,
) -> Duration {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let once = || {
        let data = prepare();
        let timed = || {
            let watch = Stopwatch::start();
            let kept = std::hint::black_box(work(data));
            let time = watch.elapsed();
            drop(kept);
            time
        };
        pool.install(timed)
    };
    (0..repeats.max(1)).map(|_| once()).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use binfer_pcs::tensor_code::Alphabet;

    use super::*;

    #[test]
    fn commitments_of_every_width_take_time() {
        for log_width in 0..=7 {
            let time = words_commit_time(&Params::fast(), 12, log_width, 1);
            assert!(time > Duration::ZERO);
            if log_width <= 5 {
                let params =
                    tensor_code::Params::smallest(12, log_width, Alphabet::B32, 2, 100).unwrap();
                assert!(tensor_commit_time(&params, 2) > Duration::ZERO);
            }
        }
    }
}
