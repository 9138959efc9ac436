//! Slice kernels over [`F128`]: each call chooses its backend once, at run time.
//!
//! Lengths are preconditions: every function panics where two slices of one call differ in length
//! and its documentation does not say otherwise.

use bytemuck::Pod;

use crate::arch::dispatch::{self, Backend};
use crate::arch::{Form, TowerMap, integers};
use crate::tower::{Sliced, WholeBytes};
use crate::{F128, count, frobenius};

/// `dst[i] += src[i]`.
pub fn add_assign(dst: &mut [F128], src: &[F128]) {
    assert_eq!(dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 0, 0, 1);
    dispatch::add_assign(Backend::current(), dst, src);
}

/// `sum_i src[i]`.
pub fn sum(src: &[F128]) -> F128 {
    let _counted = count::kernel(src.len(), 0, 0, 1);
    dispatch::sum(Backend::current(), src)
}

/// `dst[i] = a[i] * b[i]`.
pub fn mul(dst: &mut [F128], a: &[F128], b: &[F128]) {
    assert!(dst.len() == a.len() && a.len() == b.len());
    let _counted = count::kernel(dst.len(), 1, 0, 0);
    dispatch::mul(Backend::current(), dst, a, b);
}

/// `dst[i] *= src[i]`.
pub fn mul_assign(dst: &mut [F128], src: &[F128]) {
    assert_eq!(dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 1, 0, 0);
    dispatch::mul_assign(Backend::current(), dst, src);
}

/// A layer of a product tree, neighbours paired: `dst[i] = src[2i] * src[2i + 1]`. `src` is twice
/// as long as `dst`.
pub fn mul_adjacent(dst: &mut [F128], src: &[F128]) {
    assert_eq!(2 * dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 1, 0, 0);
    dispatch::mul_adjacent(Backend::current(), dst, src);
}

/// `dst[i] += a[i] * b[i]`.
pub fn add_products(dst: &mut [F128], a: &[F128], b: &[F128]) {
    assert!(dst.len() == a.len() && a.len() == b.len());
    let _counted = count::kernel(dst.len(), 1, 0, 1);
    dispatch::add_products(Backend::current(), dst, a, b);
}

/// `dst[i] = src[i]^2`.
pub fn square(dst: &mut [F128], src: &[F128]) {
    assert_eq!(dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 0, 1, 0);
    dispatch::square(Backend::current(), dst, src);
}

/// The Frobenius map `times` times: `elements[i]` becomes its power with exponent `2^times`.
pub fn frobenius(elements: &mut [F128], times: u32) {
    let times = times % 128;
    let _counted = count::kernel(elements.len(), 0, times % 8, 16 * (times / 8).count_ones());
    frobenius::apply_slice(elements, times);
}

/// `dst[i] *= scalar`.
pub fn scale(dst: &mut [F128], scalar: F128) {
    let _counted = count::kernel(dst.len(), 1, 0, 0);
    dispatch::scale(Backend::current(), dst, scalar);
}

/// `dst[i] = scalar * src[i]`.
pub fn scale_into(dst: &mut [F128], src: &[F128], scalar: F128) {
    assert_eq!(dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 1, 0, 0);
    dispatch::scale_into(Backend::current(), dst, src, scalar);
}

/// `dst[i] += scalar * src[i]`.
pub fn add_scaled(dst: &mut [F128], src: &[F128], scalar: F128) {
    assert_eq!(dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 1, 0, 1);
    dispatch::add_scaled(Backend::current(), dst, src, scalar);
}

/// `sum_i a[i] * b[i]`, reduced once.
pub fn inner_product(a: &[F128], b: &[F128]) -> F128 {
    assert_eq!(a.len(), b.len());
    let _counted = count::kernel(a.len(), 1, 0, 1);
    dispatch::inner_product(Backend::current(), a, b)
}

/// Binds one variable of a multilinear to `r`, halves apart: `lo[i] += r * (lo[i] + hi[i])`.
pub fn fold(lo: &mut [F128], hi: &[F128], r: F128) {
    assert_eq!(lo.len(), hi.len());
    let _counted = count::kernel(lo.len(), 1, 0, 2);
    dispatch::fold(Backend::current(), lo, hi, r);
}

/// [`fold`] out of place: `dst[i] = lo[i] + r * (lo[i] + hi[i])`.
pub fn fold_into(dst: &mut [F128], lo: &[F128], hi: &[F128], r: F128) {
    assert!(dst.len() == lo.len() && lo.len() == hi.len());
    let _counted = count::kernel(dst.len(), 1, 0, 2);
    dispatch::fold_into(Backend::current(), dst, lo, hi, r);
}

/// Binds one variable of a multilinear to `r`, neighbours paired:
/// `dst[i] = src[2i] + r * (src[2i] + src[2i + 1])`. `src` is twice as long as `dst`.
pub fn fold_adjacent(dst: &mut [F128], src: &[F128], r: F128) {
    assert_eq!(2 * dst.len(), src.len());
    let _counted = count::kernel(dst.len(), 1, 0, 2);
    dispatch::fold_adjacent(Backend::current(), dst, src, r);
}

/// The two sums a product sumcheck round needs, for factors `a` and `b` split into halves and
/// weights `w`: `(sum w * a_hi * b_hi, sum w * (a_lo + a_hi) * (b_lo + b_hi))`.
pub fn product_round(
    w: &[F128],
    a_lo: &[F128],
    a_hi: &[F128],
    b_lo: &[F128],
    b_hi: &[F128],
) -> (F128, F128) {
    let n = w.len();
    assert!(a_lo.len() == n && a_hi.len() == n && b_lo.len() == n && b_hi.len() == n);
    let _counted = count::kernel(n, 4, 0, 4);
    dispatch::product_round(Backend::current(), w, a_lo, a_hi, b_lo, b_hi)
}

/// What a round of `sum (a + 1) b` needs, for `a` and `b` split into halves:
/// `(sum (a_hi + 1) * b_hi, sum (a_lo + a_hi) * (b_lo + b_hi))`.
pub fn table_round(a_lo: &[F128], a_hi: &[F128], b_lo: &[F128], b_hi: &[F128]) -> (F128, F128) {
    let n = a_lo.len();
    assert!(a_hi.len() == n && b_lo.len() == n && b_hi.len() == n);
    let _counted = count::kernel(n, 2, 0, 5);
    dispatch::table_round(Backend::current(), a_lo, a_hi, b_lo, b_hi)
}

/// Products and additions of [`lines_round`] of two to eight factors.
const LINES: [(u32, u32); 7] = [(5, 7), (10, 12), (14, 20), (23, 38), (28, 50), (36, 66), (41, 87)];

/// The coefficients, constant first, of `sum_i w[i] prod_s (lo[s][i] + X (lo[s][i] + hi[s][i]))`, with two to eight factors, and zeros.
pub fn lines_round(w: &[F128], lo: &[&[F128]], hi: &[&[F128]]) -> [F128; 9] {
    assert!(lo.len() == hi.len() && (2..=8).contains(&lo.len()));
    assert!(lo.iter().chain(hi).all(|s| s.len() == w.len()));
    let (products, additions) = LINES[lo.len() - 2];
    let _counted = count::kernel(w.len(), products, 0, additions);
    dispatch::lines_round(Backend::current(), w, lo, hi)
}

/// Of `p(X) = sum_i w[i] prod_s (lo[s][i] + X (lo[s][i] + hi[s][i]))`, with four factors: `p(1)`, the coefficient of `X^2` plus
/// `p(0)`, and the coefficients of `X^3` and `X^4`.
///
/// Whoever knows `p(0)` from `p(1)`, as a round's claim gives it, has all of `p`. It takes a product less than [`lines_round`], and two
/// less where there are no weights, which stand for ones.
///
/// What is `ahead` is not computed on. It will be read next, and is fetched from memory meanwhile: of each slice the bytes up to those
/// that a factor takes.
pub fn quartic_round(
    w: Option<&[F128]>,
    lo: [&[F128]; 4],
    hi: [&[F128]; 4],
    ahead: &[&[u8]],
) -> [F128; 4] {
    let n = lo[0].len();
    assert!(w.iter().chain(&lo).chain(&hi).all(|s| s.len() == n));
    let (products, additions) = QUARTIC;
    let products = if w.is_some() { products } else { products - 2 };
    let _counted = count::kernel(n, products, 0, additions);
    dispatch::quartic_round(Backend::current(), w, lo, hi, ahead)
}

/// Products and additions of [`quartic_round`].
const QUARTIC: (u32, u32) = (13, 15);

/// A value of a product of two factors that [`product_grid`] gives beside the seven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// None: zero stands in its place.
    Neither,
    /// At `(0, 0)`.
    Zero,
    /// At `(1, 0)`.
    One,
}

/// What two product sumcheck rounds need, in one pass: `sum_i w[i] A_i(x, y) B_i(x, y)` on a grid.
///
/// `A_i` and `B_i` are multilinear with the values `a[0][i], a[1][i], a[2][i], a[3][i]` at
/// `(0, 0), (1, 0), (0, 1), (1, 1)`. The sums are those at `corner`, `(inf, 0)`, `(0, 1)`, `(1, 1)`,
/// `(inf, 1)`, `(0, inf)`, `(1, inf)` and `(inf, inf)`, a value at infinity being the leading
/// coefficient, of the square.
pub fn product_grid(w: &[F128], a: [&[F128]; 4], b: [&[F128]; 4], corner: Corner) -> [F128; 8] {
    assert!(a.iter().chain(&b).all(|s| s.len() == w.len()));
    let corners = u32::from(corner != Corner::Neither);
    let _counted = count::kernel(w.len(), 11 + corners, 0, 17 + corners);
    dispatch::product_grid(Backend::current(), w, a, b, corner)
}

/// [`product_grid`] of `sum_i (A_i(x, y) + 1) B_i(x, y)`, with the value at `(1, 0)` and without weights. At infinity the
/// one adds nothing.
pub fn table_grid(a: [&[F128]; 4], b: [&[F128]; 4]) -> [F128; 8] {
    let n = a[0].len();
    assert!(a.iter().chain(&b).all(|s| s.len() == n));
    let _counted = count::kernel(n, 8, 0, 21);
    dispatch::table_grid(Backend::current(), a, b)
}

/// Binds two variables of a multilinear, quarters apart:
/// `dst[i] += sum_j weights[j] * (dst[i] + rest[j][i])`.
///
/// With the weights `eq((r, s), .)` of `(1, 0)`, `(0, 1)` and `(1, 1)` this is its value at `(r, s)`.
pub fn fold_four(dst: &mut [F128], rest: [&[F128]; 3], weights: [F128; 3]) {
    assert!(rest.iter().all(|s| s.len() == dst.len()));
    let _counted = count::kernel(dst.len(), 3, 0, 6);
    dispatch::fold_four(Backend::current(), dst, rest, weights);
}

/// The table of `eq(point, x)` over `x` in `{0,1}^n`; bit `i` of `x` pairs with `point[i]`.
pub fn eq_table(point: &[F128]) -> Vec<F128> {
    let backend = Backend::current();
    let _counted = count::kernel((1 << point.len()) - 1, 1, 0, 1);
    let mut table = F128::zeros(1 << point.len());
    table[0] = F128::ONE;
    for (i, &r) in point.iter().enumerate() {
        let (lo, rest) = table.split_at_mut(1 << i);
        dispatch::eq_expand(backend, lo, &mut rest[..1 << i], r);
    }
    table
}

/// Forward additive butterfly: `lo[i] += twiddle * hi[i]`, then `hi[i] += lo[i]`.
pub fn butterfly(lo: &mut [F128], hi: &mut [F128], twiddle: F128) {
    assert_eq!(lo.len(), hi.len());
    let _counted = count::kernel(lo.len(), 1, 0, 2);
    dispatch::butterfly(Backend::current(), lo, hi, twiddle);
}

/// One layer of an additive NTT: a [`butterfly`] of the halves of each `2 half` elements, with
/// `twiddles[i] + offset` in block `i`. `data` is a whole number of blocks, one for each twiddle.
pub fn butterflies(data: &mut [F128], half: usize, twiddles: &[F128], offset: F128) {
    assert!(half > 0, "a block has two halves");
    assert_eq!(data.len(), 2 * half * twiddles.len());
    let _counted = count::kernel(data.len() / 2, 1, 0, 2);
    dispatch::butterflies(Backend::current(), data, half, twiddles, offset);
}

/// Inverse additive butterfly: `hi[i] += lo[i]`, then `lo[i] += twiddle * hi[i]`.
pub fn inverse_butterfly(lo: &mut [F128], hi: &mut [F128], twiddle: F128) {
    assert_eq!(lo.len(), hi.len());
    let _counted = count::kernel(lo.len(), 1, 0, 2);
    dispatch::inverse_butterfly(Backend::current(), lo, hi, twiddle);
}

/// Bucket accumulation: `bins[index[i]] += weights[i]`. `bins` holds every index that occurs.
pub fn histogram(bins: &mut [F128], index: &[u8], weights: &[F128]) {
    assert_eq!(index.len(), weights.len());
    let _counted = count::kernel(index.len(), 0, 0, 1);
    dispatch::histogram(Backend::current(), bins, index, weights);
}

/// Eight histograms in one pass: `bins[k][index[i][first + k]] += weights[i]` for `k < 8`.
///
/// # Panics
/// If `first` is more than 24.
pub fn block_histograms(
    bins: &mut [[F128; 256]; 8],
    index: &[[u8; 16]],
    first: usize,
    weights: &[F128],
) {
    assert_eq!(index.len(), weights.len());
    assert!(first <= 8);
    let _counted = count::kernel(8 * index.len(), 0, 0, 1);
    dispatch::block_histograms(Backend::current(), bins, index, first, weights);
}

/// Sums by the bits of words: `sums[i] += ` the sum of the weights of the words that have bit `i`.
pub fn bit_sums(sums: &mut [F128; 128], words: &[F128], weights: &[F128]) {
    assert_eq!(words.len(), weights.len());
    let _counted = count::kernel(words.len(), 0, 0, 16);
    dispatch::bit_sums(Backend::current(), sums, words, weights);
}

/// Table look-up: `dst[i] = table[index[i]]`. `table` holds every index that occurs.
pub fn gather(dst: &mut [F128], table: &[F128], index: &[u8]) {
    assert_eq!(dst.len(), index.len());
    let _counted = count::kernel(0, 0, 0, 0);
    dispatch::gather(Backend::current(), dst, table, index);
}

/// Sums of two look-ups: `dst[i] = sum_k tables[k][index[k][i]]`. What is `ahead` is fetched meanwhile, as by [`quartic_round`], with `dst` for
/// a factor.
pub fn gather_two(dst: &mut [F128], tables: [&[F128; 256]; 2], index: [&[u8]; 2], ahead: &[&[u8]]) {
    assert!(index.iter().all(|i| i.len() == dst.len()));
    let _counted = count::kernel(dst.len(), 0, 0, 1);
    dispatch::gather_two(Backend::current(), dst, tables, index, ahead);
}

/// Products of two look-ups: `dst[i] = tables[0][index[0][i]] * tables[1][index[1][i]]`.
pub fn gather_products(dst: &mut [F128], tables: [&[F128; 256]; 2], index: [&[u8]; 2]) {
    assert!(index.iter().all(|i| i.len() == dst.len()));
    let _counted = count::kernel(dst.len(), 1, 0, 0);
    dispatch::gather_products(Backend::current(), dst, tables, index);
}

/// Products of four look-ups: `dst[i] = prod_k tables[k][index[k][i]]`. What is `ahead` is fetched meanwhile, as by [`gather_two`].
pub fn gather_four_products(
    dst: &mut [F128],
    tables: [&[F128; 256]; 4],
    index: [&[u8]; 4],
    ahead: &[&[u8]],
) {
    assert!(index.iter().all(|i| i.len() == dst.len()));
    let _counted = count::kernel(dst.len(), 3, 0, 0);
    dispatch::gather_four_products(Backend::current(), dst, tables, index, ahead);
}

/// [`quartic_round`] of factors that are looked up, but for `p(1)`: `tables[s][index[s][i]]` stands for `lo[s][i]`, and
/// `tables[4 + s][index[4 + s][i]]` for `hi[s][i]`. What is `ahead` is fetched as there.
pub fn gather_quartic(
    w: &[F128],
    tables: [&[F128; 256]; 8],
    index: [&[u8]; 8],
    ahead: &[&[u8]],
) -> [F128; 3] {
    assert!(index.iter().all(|i| i.len() == w.len()));
    let (products, additions) = QUARTIC;
    let _counted = count::kernel(w.len(), products - 1, 0, additions - 1);
    dispatch::gather_quartic(Backend::current(), w, tables, index, ahead)
}

/// Sums of products of values that the nibbles of four bytes have, for every two of the bytes:
/// `sums[d][e] = sum_i low[index[d][i] & 15] * high[i][index[e][i] >> 4]`.
///
/// Costs four additions of four elements for each `i`, and 256 products in all: slices are best some hundreds long, so that `high`,
/// 256 bytes each, still fits into the first or second cache.
pub fn nibble_products(low: &[F128; 16], high: &[[F128; 16]], index: [&[u8]; 4]) -> [[F128; 4]; 4] {
    assert!(index.iter().all(|i| i.len() == high.len()));
    let _counted = count::kernel_of(count::Counts {
        products: 256,
        additions: 16 * high.len() as u64 + 256,
        ..Default::default()
    });
    dispatch::nibble_products(Backend::current(), low, high, index)
}

/// Bit `plane < 8` of each byte, packed least significant bit first into 128-bit words.
/// `dst` holds `ceil(bytes.len() / 128)` words; the bits beyond are zero.
pub fn pack_plane(dst: &mut [F128], bytes: &[u8], plane: u32) {
    assert!(plane < 8);
    assert_eq!(dst.len(), bytes.len().div_ceil(128));
    let _counted = count::kernel(0, 0, 0, 0);
    dispatch::pack_plane(Backend::current(), dst, bytes, plane);
}

/// All eight bit planes of a slice of bytes: `planes[p]` is what [`pack_plane`] makes of plane `p`.
pub fn pack_planes(planes: [&mut [F128]; 8], bytes: &[u8]) {
    for plane in &planes {
        assert_eq!(plane.len(), bytes.len().div_ceil(128));
    }
    let _counted = count::kernel(0, 0, 0, 0);
    dispatch::pack_planes(Backend::current(), planes, bytes);
}

/// Transposes a matrix of 128 x 128 bits in place: bit `j` of word `i` changes places with bit `i`
/// of word `j`.
pub fn transpose(rows: &mut [F128; 128]) {
    let _counted = count::kernel(0, 0, 0, 0);
    dispatch::transpose(Backend::current(), rows);
}

/// Products in a field of the tower: `dst[i] = a[i] * b[i]`.
///
/// With GFNI the elements are taken apart into byte slices of 64 elements each and computed in the
/// AES field, which is isomorphic to `Tower8`.
pub fn tower_mul<T: WholeBytes>(dst: &mut [T], a: &[T], b: &[T]) {
    tower_products::<T, T>(dst, a, b, Form::Whole);
}

/// Squares in a field of the tower, in place; computed as [`tower_mul`] is.
pub fn tower_square<T: WholeBytes>(elements: &mut [T]) {
    tower_images::<T, T>(elements, Form::Whole, TowerMap::Square);
}

/// Inverses in a field of the tower, in place, that of zero being zero; computed as [`tower_mul`] is.
pub fn tower_invert<T: WholeBytes>(elements: &mut [T]) {
    tower_images::<T, T>(elements, Form::Whole, TowerMap::Invert);
}

/// Products of blocks in slices: `dst[i] = a[i] * b[i]`, elementwise.
pub fn sliced_mul<T: WholeBytes>(dst: &mut [Sliced<T>], a: &[Sliced<T>], b: &[Sliced<T>]) {
    tower_products::<T, _>(dst, a, b, Form::Sliced);
}

/// Squares of the elements of blocks in slices, in place.
pub fn sliced_square<T: WholeBytes>(blocks: &mut [Sliced<T>]) {
    tower_images::<T, _>(blocks, Form::Sliced, TowerMap::Square);
}

/// Inverses of the elements of blocks in slices, in place, that of zero being zero.
pub fn sliced_invert<T: WholeBytes>(blocks: &mut [Sliced<T>]) {
    tower_images::<T, _>(blocks, Form::Sliced, TowerMap::Invert);
}

fn tower_products<T, U: Pod>(dst: &mut [U], a: &[U], b: &[U], form: Form) {
    assert!(dst.len() == a.len() && a.len() == b.len());
    let (dst, a, b) =
        (bytemuck::cast_slice_mut(dst), bytemuck::cast_slice(a), bytemuck::cast_slice(b));
    dispatch::tower_mul(Backend::current(), dst, a, b, size_of::<T>(), form);
}

fn tower_images<T, U: Pod>(elements: &mut [U], form: Form, map: TowerMap) {
    let elements = bytemuck::cast_slice_mut(elements);
    dispatch::tower_map(Backend::current(), elements, size_of::<T>(), form, map);
}

/// Rows and columns of a block of [`add_quad_products`].
pub const INTEGER_BLOCK: (usize, usize) = (integers::ROWS, integers::COLS);

/// Blocks of a product of matrices of bytes, `n` times four terms each:
/// `sums[b][c][r] += sum_i sum_t x[b n + i][r][t] w[c][i][t]`, wrapping.
///
/// # Panics
/// If not all of `w` have `n` elements, or `x` has not `n` for each block.
pub fn add_quad_products(
    sums: &mut [[[i32; INTEGER_BLOCK.0]; INTEGER_BLOCK.1]],
    x: &[[[i8; 4]; INTEGER_BLOCK.0]],
    w: [&[[u8; 4]]; INTEGER_BLOCK.1],
) {
    assert!(w.iter().all(|column| column.len() == w[0].len()));
    assert_eq!(x.len(), sums.len() * w[0].len());
    integers::add_quad_products(Backend::current(), sums, x, w);
}
