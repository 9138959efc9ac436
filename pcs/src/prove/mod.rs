//! The prover's half: commitments and their openings.

mod commit;
mod fold;
mod memory;
mod ntt;
mod open;
pub mod store;
mod sumcheck;
mod weights;

pub use commit::{Oracle, commit};
pub use memory::{opening_bytes, oracle_bytes};
pub use ntt::encode;
pub use open::open;
