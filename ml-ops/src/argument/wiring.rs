//! Matrices that are read from others through a [`Gather`]: which element each position reads, and what
//! weights of positions make of an element.
//!
//! A dimension of the matrix moves along one axis of the source at most: along one that numbers its features,
//! or one that numbers its rows. So a row of the matrix is a pair `(a, b)`, `a` its digits along features and
//! `b` the others, a column likewise, and position `(r, c)` reads feature `f(a_r, a_c)` of row `s(b_r, b_c)`.
//! For weights `E` of rows and `F` of columns, and any values `x` of source rows and `y` of features,
//!
//! `sum_{r, c} E_r F_c x(row) y(feature) = sum_{a_r, b_c} (sum_{b_r} E x) (sum_{a_c} F y)`,
//!
//! which takes `rows #b_c + cols #a_r` products instead of one a position, nine a row for a window of 3 x 3.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use binfer_field::{F128, kernels};
#[cfg(feature = "prover")]
use binfer_iop::indexed::wired::AddWeights;
use binfer_iop::indexed::wired::Weights;
use binfer_iop::multilinear::log2_ceil;
#[cfg(feature = "prover")]
use core::ops::Range;
#[cfg(feature = "prover")]
use rayon::prelude::*;

use crate::graph::{Gather, GatherDim};

/// The map for a batch: samples are one more axis of the source's rows and one more dimension of the matrix's.
pub(super) fn batched(gather: &Gather, batch: usize) -> Gather {
    let n_features = gather.source_cols.len();
    let shift = |dim: &GatherDim| {
        let axis = dim.axis.map(|axis| if axis < n_features { axis } else { axis + 1 });
        GatherDim { axis, ..*dim }
    };
    let sample = GatherDim { size: batch, axis: Some(n_features), step: 1 };
    let (features, rows) = gather.offsets.split_at(n_features);
    Gather {
        source_cols: gather.source_cols.clone(),
        source_rows: [&[batch], &gather.source_rows[..]].concat(),
        offsets: [features, &[0], rows].concat(),
        rows: core::iter::once(sample).chain(gather.rows.iter().map(shift)).collect(),
        cols: gather.cols.iter().map(shift).collect(),
        pad: gather.pad,
    }
}

/// The digits of all rows, or all columns, of a matrix.
struct Side {
    /// Of each of them, the number of its digits along features, and along rows.
    places: Vec<[usize; 2]>,
    /// For the digits along features, and along rows: how far they are from the first on each axis.
    along: [Offsets; 2],
}

/// Vectors of offsets, one after the other.
struct Offsets {
    n: usize,
    n_axes: usize,
    flat: Vec<i64>,
}

impl Offsets {
    /// Of all indices of some dimensions, which move along axes from `first` on, `n_axes` of them.
    fn new<'a>(dims: impl Iterator<Item = &'a GatherDim>, first: usize, n_axes: usize) -> Self {
        let mut this = Self { n: 1, n_axes, flat: vec![0; n_axes] };
        for dim in dims {
            let mut flat = Vec::with_capacity(this.flat.len() * dim.size);
            for index in 0..this.n {
                for digit in 0..dim.size {
                    let start = flat.len();
                    flat.extend_from_slice(this.get(index));
                    let axis = dim.axis.and_then(|axis| axis.checked_sub(first));
                    if let Some(offset) = axis.and_then(|axis| flat.get_mut(start + axis)) {
                        *offset = offset.saturating_add(dim.step.saturating_mul(digit as i64));
                    }
                }
            }
            this = Self { n: this.n * dim.size, n_axes, flat };
        }
        this
    }

    fn get(&self, index: usize) -> &[i64] {
        &self.flat[index * self.n_axes..(index + 1) * self.n_axes]
    }
}

impl Side {
    fn new(dims: &[GatherDim], n_features: usize, n_row_axes: usize) -> Self {
        let moves = |dim: &GatherDim| dim.axis.is_some_and(|axis| axis < n_features);
        let mut places = vec![[0, 0]];
        for dim in dims {
            let kind = usize::from(!moves(dim));
            let mut longer = Vec::with_capacity(places.len() * dim.size);
            for &start in &places {
                longer.extend((0..dim.size).map(|digit| {
                    let mut place = start;
                    place[kind] = place[kind] * dim.size + digit;
                    place
                }));
            }
            places = longer;
        }
        let features = Offsets::new(dims.iter().filter(|d| moves(d)), 0, n_features);
        let rows = Offsets::new(dims.iter().filter(|d| !moves(d)), n_features, n_row_axes);
        Self { places, along: [features, rows] }
    }
}

/// How many digits rows or columns have along features, or along rows.
fn digits(dims: &[GatherDim], n_features: usize, along_features: bool) -> u128 {
    let moves = |dim: &&GatherDim| dim.axis.is_some_and(|axis| axis < n_features) == along_features;
    dims.iter().filter(moves).map(|dim| dim.size as u128).product()
}

/// Bytes of a map's tables, and of weights of its rows and columns.
#[cfg(feature = "prover")]
pub(super) fn bytes(gather: &Gather) -> u128 {
    let along = |dims: &[GatherDim], features| digits(dims, gather.source_cols.len(), features);
    let [features, rows] = [true, false].map(|f| along(&gather.rows, f) * along(&gather.cols, f));
    let (height, width) = (gather.n_rows() as u128, gather.n_cols() as u128);
    8 * (features + rows) + 64 * (height + width)
}

/// What lies outside the source.
const OUTSIDE: usize = usize::MAX;

/// A map with its sums worked out.
struct Wiring {
    rows: Side,
    cols: Side,
    /// `f`, blocks `[a_r][a_c]`.
    features: Vec<usize>,
    /// `s`, blocks `[b_c][b_r]`.
    source_rows: Vec<usize>,
}

impl Wiring {
    fn new(gather: &Gather) -> Self {
        let (n_features, n_rows) = (gather.source_cols.len(), gather.source_rows.len());
        let rows = Side::new(&gather.rows, n_features, n_rows);
        let cols = Side::new(&gather.cols, n_features, n_rows);
        let (of_features, of_rows) = gather.offsets.split_at(n_features);
        let features = numbers(of_features, &rows.along[0], &cols.along[0], &gather.source_cols);
        let source_rows = numbers(of_rows, &cols.along[1], &rows.along[1], &gather.source_rows);
        Self { rows, cols, features, source_rows }
    }

    /// Pairs `(a_r, b_c)`.
    fn pairs(&self) -> usize {
        self.rows.along[0].n * self.cols.along[1].n
    }
}

/// The numbers of the points `start + x + y`, blocks `[x][y]`.
fn numbers(start: &[i64], x: &Offsets, y: &Offsets, sizes: &[usize]) -> Vec<usize> {
    let mut numbers = Vec::with_capacity(x.n * y.n);
    let mut moved = start.to_vec();
    for i in 0..x.n {
        let offsets = start.iter().zip(x.get(i));
        moved.iter_mut().zip(offsets).for_each(|(moved, (&a, &b))| *moved = a.saturating_add(b));
        for j in 0..y.n {
            let mut number = 0;
            for ((&a, &b), &size) in moved.iter().zip(y.get(j)).zip(sizes) {
                let at = usize::try_from(a.saturating_add(b)).ok().filter(|&at| at < size);
                number = at.map_or(OUTSIDE, |at| number * size + at);
                if number == OUTSIDE {
                    break;
                }
            }
            numbers.push(number);
        }
    }
    numbers
}

/// A map whose rows and columns have changed places where the sums are shorter for it.
struct Turned {
    wiring: Wiring,
    is_turned: bool,
}

impl Turned {
    fn new(gather: &Gather) -> Self {
        let pairs = |rows: &[GatherDim], cols: &[GatherDim]| {
            let n_features = gather.source_cols.len();
            digits(rows, n_features, true).saturating_mul(digits(cols, n_features, false))
        };
        let is_turned = pairs(&gather.cols, &gather.rows) < pairs(&gather.rows, &gather.cols);
        if !is_turned {
            return Self { wiring: Wiring::new(gather), is_turned };
        }
        let Gather { rows: cols, cols: rows, .. } = gather.clone();
        Self { wiring: Wiring::new(&Gather { rows, cols, ..gather.clone() }), is_turned }
    }
}

/// Maps, each worked out once for all that is read through it.
#[derive(Default)]
pub(crate) struct Wirings(Mutex<HashMap<Gather, Arc<OnceLock<Arc<Turned>>>>>);

impl Wirings {
    fn get(&self, gather: &Gather) -> Arc<Turned> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match known.get(gather) {
            Some(place) => place.clone(),
            None => known.entry(gather.clone()).or_default().clone(),
        };
        drop(known);
        place.get_or_init(|| Arc::new(Turned::new(gather))).clone()
    }

    /// Weights of positions that are products, one factor a row, one a column.
    pub(super) fn weighted(&self, gather: &Gather, rows: &[F128], cols: &[F128]) -> Weighted {
        let map = self.get(gather);
        let [of_rows, of_cols] = if map.is_turned { [cols, rows] } else { [rows, cols] };
        let place = |side: &Side, weights: &[F128], [outer, inner]: [usize; 2]| {
            let size = side.along[inner].n;
            let mut placed = vec![F128::ZERO; side.places.len()];
            for (place, &weight) in side.places.iter().zip(weights) {
                placed[place[outer] * size + place[inner]] = weight;
            }
            placed
        };
        Weighted {
            n_source_rows: gather.n_source_rows(),
            n_source_cols: gather.n_source_cols(),
            rows: place(&map.wiring.rows, of_rows, [0, 1]),
            cols: place(&map.wiring.cols, of_cols, [1, 0]),
            map,
            total: kernels::sum(rows) * kernels::sum(cols),
        }
    }
}

/// Weights of the elements of a source: element `p` weighs `sum row_weights[r] col_weights[c]` over the
/// positions `(r, c)` that read it.
pub(crate) struct Weighted {
    n_source_rows: usize,
    n_source_cols: usize,
    map: Arc<Turned>,
    /// By `a_r`, then `b_r`.
    rows: Vec<F128>,
    /// By `b_c`, then `a_c`.
    cols: Vec<F128>,
    /// The sum over all positions.
    total: F128,
}

impl Weighted {
    /// Rows and columns of the source.
    pub(super) fn source(&self) -> (usize, usize) {
        (self.n_source_rows, self.n_source_cols)
    }

    /// `sum_{r, c} E_r F_c x(row) y(feature)` over the positions inside.
    fn sum(&self, x: &[F128], y: &[F128]) -> F128 {
        let Wiring { rows, cols, features, source_rows } = &self.map.wiring;
        let (n_pairs, n_outer) = (self.map.wiring.pairs(), cols.along[1].n);
        let (mut of_rows, mut of_cols) = (vec![F128::ZERO; n_pairs], vec![F128::ZERO; n_pairs]);
        let values = |numbers: &[usize], of: &[F128]| -> Vec<F128> {
            numbers.iter().map(|&i| of.get(i).copied().unwrap_or(F128::ZERO)).collect()
        };
        let (n_rows, n_cols) = (rows.along[1].n, cols.along[0].n);
        for (b, numbers) in source_rows.chunks(n_rows).enumerate() {
            let values = values(numbers, x);
            for (a, weights) in self.rows.chunks(n_rows).enumerate() {
                of_rows[a * n_outer + b] = kernels::inner_product(weights, &values);
            }
        }
        for (a, numbers) in features.chunks(n_cols).enumerate() {
            let values = values(numbers, y);
            for (b, weights) in self.cols.chunks(n_cols).enumerate() {
                of_cols[a * n_outer + b] = kernels::inner_product(weights, &values);
            }
        }
        kernels::inner_product(&of_rows, &of_cols)
    }

    /// The sum of the weights of positions outside the source.
    pub(super) fn outside(&self) -> F128 {
        let ones = |n| vec![F128::ONE; n];
        self.total + self.sum(&ones(self.n_source_rows), &ones(self.n_source_cols))
    }
}

impl Weights for Weighted {
    fn evaluate(&self, row_point: &[F128], col_point: &[F128]) -> F128 {
        debug_assert_eq!(row_point.len(), log2_ceil(self.n_source_rows));
        self.sum(&kernels::eq_table(row_point), &kernels::eq_table(col_point))
    }
}

#[cfg(feature = "prover")]
impl AddWeights for Weighted {
    fn add_to(&self, scale: F128, out: &mut [F128]) {
        let Wiring { rows, cols, features, source_rows } = &self.map.wiring;
        let (n_rows, n_cols) = (rows.along[1].n, cols.along[0].n);
        let mut of_rows = vec![F128::ZERO; self.n_source_rows];
        for (b, numbers) in source_rows.chunks(n_rows).enumerate() {
            let mut inside: Vec<usize> =
                numbers.iter().copied().filter(|&s| s != OUTSIDE).collect();
            inside.sort_unstable();
            inside.dedup();
            let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else { continue };
            let is_sparse = last - first > 8 * inside.len();
            for (a, weights) in self.rows.chunks(n_rows).enumerate() {
                for (&s, &weight) in numbers.iter().zip(weights) {
                    if s != OUTSIDE {
                        of_rows[s] += weight;
                    }
                }
                let features = &features[a * n_cols..(a + 1) * n_cols];
                let weights = &self.cols[b * n_cols..(b + 1) * n_cols];
                for (&f, &weight) in features.iter().zip(weights) {
                    if f == OUTSIDE {
                        continue;
                    }
                    let weight = scale * weight;
                    let column = &mut out[f * self.n_source_rows..][..self.n_source_rows];
                    if is_sparse {
                        inside.iter().for_each(|&s| column[s] += weight * of_rows[s]);
                    } else {
                        let touched = &of_rows[first..=last];
                        kernels::add_scaled(&mut column[first..=last], touched, weight);
                    }
                }
                inside.iter().for_each(|&s| of_rows[s] = F128::ZERO);
            }
        }
    }
}

/// The bytes of a matrix that is read through a map.
#[cfg(feature = "prover")]
pub(super) struct Gathered {
    /// `[column][row]`.
    pub(super) bytes: Vec<u8>,
    /// The rows of each column that read nothing; none where a pad takes their place.
    pub(super) holes: Vec<Vec<Range<usize>>>,
}

#[cfg(feature = "prover")]
impl Gathered {
    /// Reads a source `[column][row]`.
    pub(super) fn new(gather: &Gather, source: &[u8], pad: Option<u8>) -> Self {
        let wiring = Wiring::new(gather);
        let Wiring { rows, cols, features, source_rows } = &wiring;
        let (n_rows, n_cols) = (rows.along[1].n, cols.along[0].n);
        let (height, width) = (rows.places.len(), cols.places.len());
        let mut bytes = vec![0; height * width];
        let columns = bytes.par_chunks_mut(height).zip(&cols.places);
        let columns = columns.map(|(out, &[a, b])| {
            let numbers = &source_rows[b * n_rows..(b + 1) * n_rows];
            let mut holes: Vec<Range<usize>> = Vec::new();
            for (r, (out, &[a_row, b_row])) in out.iter_mut().zip(&rows.places).enumerate() {
                let (f, s) = (features[a_row * n_cols + a], numbers[b_row]);
                if f != OUTSIDE && s != OUTSIDE {
                    *out = source[f * gather.n_source_rows() + s];
                } else if let Some(pad) = pad {
                    *out = pad;
                } else {
                    match holes.last_mut() {
                        Some(hole) if hole.end == r => hole.end += 1,
                        _ => holes.push(r..r + 1),
                    }
                }
            }
            holes
        });
        let holes = columns.collect();
        Self { bytes, holes }
    }
}

#[cfg(all(test, feature = "prover"))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// A random map: windows, strides, broadcasts, transposes, with positions outside.
    fn gather(rng: &mut StdRng) -> Gather {
        let mut sizes =
            |n: usize| -> Vec<usize> { (0..n).map(|_| rng.random_range(1..5)).collect() };
        let (source_cols, source_rows) = (sizes(2), sizes(2));
        let dims = |rng: &mut StdRng| -> Vec<GatherDim> {
            let dim = |_| GatherDim {
                size: rng.random_range(1..4),
                axis: Some(rng.random_range(0..5)).filter(|&axis| axis < 4),
                step: rng.random_range(-2..3),
            };
            (0..3).map(dim).collect()
        };
        let offsets = (0..4).map(|_| rng.random_range(-1..3)).collect();
        let (rows, cols) = (dims(rng), dims(rng));
        Gather { source_cols, source_rows, offsets, rows, cols, pad: None }
    }

    fn random(rng: &mut StdRng, n: usize) -> Vec<F128> {
        (0..n).map(|_| F128::random(rng)).collect()
    }

    proptest! {
        #[test]
        fn weights_are_those_of_the_positions(seed: u64, batch in 1usize..4) {
            let mut rng = StdRng::seed_from_u64(seed);
            let one = gather(&mut rng);
            let map = batched(&one, batch);
            let (rows, cols) = (random(&mut rng, map.n_rows()), random(&mut rng, map.n_cols()));
            let (height, width) = (map.n_source_rows(), map.n_source_cols());
            let bytes: Vec<u8> = (0..height * width).map(|_| rng.random()).collect();
            let gathered = Gathered::new(&map, &bytes, None);
            let padded = Gathered::new(&map, &bytes, Some(77));
            let mut expected = vec![F128::ZERO; height * width];
            let mut outside = F128::ZERO;
            for (r, &e) in rows.iter().enumerate() {
                for (c, &f) in cols.iter().enumerate() {
                    let (sample, row) = (r / one.n_rows(), r % one.n_rows());
                    let source = one.source(row, c).map(|(s, f)| (sample * one.n_source_rows() + s, f));
                    prop_assert_eq!(map.source(r, c), source);
                    let at = c * rows.len() + r;
                    match source {
                        Some((row, feature)) => {
                            expected[feature * height + row] += e * f;
                            prop_assert_eq!(gathered.bytes[at], bytes[feature * height + row]);
                            prop_assert_eq!(padded.bytes[at], bytes[feature * height + row]);
                        }
                        None => {
                            outside += e * f;
                            prop_assert!(gathered.holes[c].iter().any(|hole| hole.contains(&r)));
                            prop_assert_eq!(padded.bytes[at], 77);
                        }
                    }
                }
            }
            let weights = Wirings::default().weighted(&map, &rows, &cols);
            prop_assert_eq!(weights.outside(), outside);
            let mut dense = vec![F128::ONE; expected.len()];
            weights.add_to(F128::new(5), &mut dense);
            let scaled: Vec<F128> = expected.iter().map(|&w| F128::ONE + F128::new(5) * w).collect();
            prop_assert_eq!(dense, scaled);
            let row_point = random(&mut rng, log2_ceil(height));
            let col_point = random(&mut rng, log2_ceil(width));
            let (row_eq, col_eq) = (kernels::eq_table(&row_point), kernels::eq_table(&col_point));
            let value: F128 = expected
                .chunks(height)
                .zip(&col_eq)
                .flat_map(|(column, &c)| column.iter().zip(&row_eq).map(move |(&w, &r)| c * r * w))
                .sum();
            prop_assert_eq!(weights.evaluate(&row_point, &col_point), value);
        }
    }
}
