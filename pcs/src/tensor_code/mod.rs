//! The tensor-code commitment of DP23: a matrix of small coefficients, its rows Reed-Solomon codewords over a small
//! field, opened by one combination of the rows and some columns.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

mod params;

pub use params::{Alphabet, Params, ParamsError};
