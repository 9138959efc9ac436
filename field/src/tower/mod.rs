//! The Fan-Paar tower of binary fields, from one bit to 128.
//!
//! `TowerN` is the field with `2^N` elements. `Tower2N` is `TowerN[X]` modulo
//! `X^2 = Y X + 1`, where `Y` is the generator one level below (one at the bottom), after J. L. Fan
//! and C. Paar, "On efficient inversion in tower fields of characteristic two" (ISIT 1997) and
//! Binius (<https://eprint.iacr.org/2023/1784>, section 2.3). The low half of an element's bits is
//! its constant coefficient; so a subfield's element is the same integer in every field above.

mod aes;
mod byte;
mod definition;
mod embed;
mod isomorphism;
mod level;
mod nibble;
mod sliced;

pub use isomorphism::{from_tower, to_tower};
pub use level::{Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64, Tower128, WholeBytes};
pub use sliced::{Sliced, Sliced128};

pub(crate) use byte::{AES_TO_TOWER, TOWER_TO_AES};
pub(crate) use nibble::{LOG as NIBBLE_LOG, PAIR_MULTIPLES, POWERS};
pub(crate) use sliced::{in_slices, one_by_one};
