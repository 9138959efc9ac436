//! Threads that wait for work awake.

use std::thread;
use std::time::{Duration, Instant};

/// How long a thread that finds nothing to do asks again at once: longer than most steps of a proof that one thread takes alone.
const ASKING: Duration = Duration::from_millis(1);

/// How long it sleeps then, before it asks once more.
const PAUSE: Duration = Duration::from_micros(50);

/// Has the threads of rayon's pool ask for work until the process ends.
///
/// A proof has some hundred rounds with a few microseconds between two, in which one thread computes what the next depends on. The pool
/// lets a thread sleep that finds no work for about as long, and waking it takes longer than many a round. Commands that prove call this, once; a program that
/// embeds the prover beside other work may prefer the pool's own way.
pub(crate) fn keep() {
    if rayon::current_num_threads() > 1 {
        rayon::spawn_broadcast(|_| work());
    }
}

fn work() {
    let mut idle_since = Instant::now();
    loop {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => idle_since = Instant::now(),
            _ if idle_since.elapsed() < ASKING => thread::yield_now(),
            _ => thread::sleep(PAUSE),
        }
    }
}
