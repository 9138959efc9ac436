//! What the benchmarks share, and the README's example as a documentation test.
#![forbid(unsafe_code)]

mod commitment;
pub mod cost;
mod mobilenet;
mod random;
mod stopwatch;
mod task;

pub use commitment::{tensor_commit_time, words_commit_time};
pub use mobilenet::mobilenet;
pub use random::{bytes, elements};
pub use task::Task;

/// The README, whose Rust example is compiled and run by `cargo test --doc`.
#[doc = include_str!("../../README.md")]
#[derive(Clone, Copy, Debug)]
pub struct Readme;
