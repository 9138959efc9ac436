//! Work of verifiers that falls into parts: a prover's build shares it among its threads, a verifier's has one.

#[cfg(feature = "prover")]
use rayon::prelude::*;

/// Parts from which threads share them: a few are done before another one wakes up.
#[cfg(feature = "prover")]
const SHARED: usize = 32;

/// `f` of each part, in order.
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, f: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    #[cfg(feature = "prover")]
    if parts.len() >= SHARED {
        return parts.into_par_iter().map(f).collect();
    }
    parts.into_iter().map(f).collect()
}

/// Work whose result is asked for at the end.
pub(crate) type Job<'a, R> = Box<dyn FnOnce() -> R + Send + 'a>;

/// What `work` returns, and the results of the jobs that it gives out, in order: other threads do them beside it. With few parts,
/// or one thread, `work` has nobody to give jobs to.
pub(crate) fn beside<'a, T: Send, R: Send + 'a>(
    parts: usize,
    work: impl FnOnce(Option<&mut dyn FnMut(Job<'a, R>)>) -> T + Send,
) -> (T, Vec<R>) {
    #[cfg(feature = "prover")]
    if parts >= SHARED && rayon::current_num_threads() > 1 {
        let (sender, results) = std::sync::mpsc::channel();
        let done = rayon::scope(|scope| {
            let mut numbers = 0..;
            work(Some(&mut |job| {
                let (sender, number): (_, Option<usize>) = (sender.clone(), numbers.next());
                // Results are received as long as there are senders.
                scope.spawn(move |_| drop(sender.send((number, job()))));
            }))
        });
        drop(sender);
        let mut results: Vec<_> = results.into_iter().collect();
        results.sort_by_key(|&(number, _)| number);
        return (done, results.into_iter().map(|(_, result)| result).collect());
    }
    let _ = parts;
    (work(None), Vec::new())
}
