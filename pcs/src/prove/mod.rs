//! The prover's half: commitments and their openings.

mod commit;
mod fold;
mod ntt;
mod open;
pub mod store;
mod sumcheck;
mod weights;

pub use commit::{Oracle, commit};
pub use ntt::encode;
pub use open::open;
