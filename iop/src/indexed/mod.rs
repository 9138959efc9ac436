//! The indexed product: `prod_c T_c[idx(r, c)]` for indices that are committed bits.
//!
//! # Relation
//! A *view* is a `rows x cols` matrix of `w`-bit indices whose bit `s` is the bit plane `planes[s]`; a
//! *table* has `2^w` entries a column. The leaf polynomial of view and table is
//! `L(r, c) = T_c[idx(r, c)]`, one outside the box. [`product`](crate::product) reduces claims on products
//! of leaves to claims on leaf polynomials; this module reduces those to claims on tables and planes.
//!
//! # Protocol
//! 1. [`table`]: `L(z) + 1 = sum_{c, v} eq(z_c, c) (T_c[v] + 1) M(c, v)`, with the histogram
//!    `M(c, v) = sum_r eq(z_r, r) [idx(r, c) = v]`, which takes additions only. Ends in claims on
//!    `T + 1` and on `M` at `(sigma_c, sigma_v)`.
//! 2. [`wired`]: where the matrix of a view is read from another one through a public map, a sumcheck with
//!    public weights takes a claim on `M` to a claim on the other's view.
//! 3. [`onehot`]: `M(sigma) = sum_{r, c} eq(z_r, r) eq(sigma_c, c) prod_s (1 + sigma_v[s] + bit_s(r, c))`,
//!    split into power-of-two tiles and proved in two stages, byte to nibbles to bits. Ends in
//!    claims on every tile of every plane, all at one shared point.
//!
//! # Cost
//! A table step costs its table (`cols * 2^w`) and one addition an index. The stages cost about three
//! and a half products and 30 additions an index of a byte, and some five products of bytes, 64 at a time
//! (`docs/paper/cost.md` counts them).
//!
//! # Soundness
//! Sumcheck terms, and `#terms / 2^128` for each batching; see each file.

pub mod onehot;
pub mod table;
pub mod wired;

mod tile;
#[cfg(feature = "prover")]
mod tile_bytes;

#[cfg(all(test, feature = "prover"))]
mod tests;

pub use tile::{Tile, tiles};
#[cfg(feature = "prover")]
pub use tile_bytes::TileBytes;
