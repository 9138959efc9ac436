//! The `binfer` binary, run as a user runs it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
mod common;
mod inspect;
mod llama;
mod malformed;
mod round_trip;
