//! The slice algorithms, written once over [`Lanes`].

mod bit_sums;
mod bits;
mod byte_lanes;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod clmul;
mod coset;
mod fold;
mod lanes;
mod linear_map;
mod lines;
mod look_ups;
mod nibble_lanes;
mod nibble_sums;
mod planes;
mod product;
mod tower;
mod tower_map;
mod transform;
mod two_rounds;

pub(crate) use bit_sums::bit_sums;
pub(crate) use bits::{
    block_histograms, gather, gather_two, histogram, pack_plane, pack_planes, transpose,
};
pub(crate) use byte_lanes::{ByteLanes, NoByteLanes};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use clmul::Clmul;
pub(crate) use coset::coset_products;
pub(crate) use fold::{fold, fold_adjacent, fold_into};
pub(crate) use lanes::Lanes;
pub(crate) use linear_map::{linear_map, word_map};
pub(crate) use lines::{gather_quartic, lines_round, quartic_round};
pub(crate) use look_ups::{gather_four_products, gather_products, nibble_products};
pub(crate) use nibble_lanes::{NibbleLanes, NoNibbleLanes};
pub(crate) use nibble_sums::{has_byte_lanes, nibble_sums};
pub(crate) use planes::plane_butterflies;
pub(crate) use product::{
    add_assign, add_products, add_scaled, inner_product, mul, mul_adjacent, mul_assign, mul_one,
    pow, product_round, scale, scale_into, square, square_one, square_times, sum, table_round,
};
pub(crate) use tower::{Form, matrix, tower_mul};
pub(crate) use tower_map::{TowerMap, tower_map};
pub(crate) use transform::{butterflies, butterfly, eq_expand, inverse_butterfly};
pub(crate) use two_rounds::{fold_four, product_grid, table_grid};
