//! Rounding of weights such that the errors of inputs that go together make up for each other.
//!
//! With inputs `x` as a text has them and `H = sum x x^T = L L^T`, an output's error is the size of `(w - q) L`. The last
//! entry of that depends on the last weight alone, the one before on two, and so on: each weight in turn is rounded from
//! where it makes its entry least, given those that are integers already. (Frantar and others, *GPTQ*, 2022; it is Babai's
//! nearest plane.) Inputs of larger squares are rounded first. All sums are in a fixed order.

use rayon::prelude::*;

use super::products::{ROWS, dot, transposed};

/// What is added to all squares, relative to their mean: the text is short.
const DAMPING: f64 = 0.01;

/// Scales that are tried, as shares of that which holds the largest weight, in percent.
const SHARES: [u32; 17] = [100, 95, 90, 85, 80, 75, 70, 65, 60, 56, 52, 48, 44, 40, 36, 32, 28];

/// What errors of weights cost.
pub(super) struct Metric {
    /// Inputs, those that are rounded first last.
    order: Vec<usize>,
    /// Row `i` is column `i` of `L`, over its diagonal entry.
    columns: Vec<f32>,
    /// The mean square of each input.
    squares: Vec<f64>,
}

impl Metric {
    /// That of inputs as rows.
    pub(super) fn new(x: &[f32], inputs: usize) -> Self {
        let across = transposed(x, inputs);
        let tokens = x.len() / inputs;
        let row = |at: usize| &across[at * tokens..][..tokens];
        let squares: Vec<f64> =
            (0..inputs).into_par_iter().map(|at| dot(row(at), row(at)).into()).collect();
        let mut order: Vec<usize> = (0..inputs).collect();
        order.sort_by(|&a, &b| squares[a].total_cmp(&squares[b]));
        let mean = squares.iter().sum::<f64>() / inputs as f64;
        let damping = (DAMPING * mean).max(1e-12);
        let mut l = vec![0f64; inputs * inputs];
        let few = l.par_chunks_mut(ROWS * inputs).zip(order.par_chunks(ROWS)).enumerate();
        few.for_each(|(first, (l, rows))| {
            let so_far = inputs.min((first + 1) * ROWS);
            for (j, &b) in order[..so_far].iter().enumerate() {
                for (l, &a) in l.chunks_exact_mut(inputs).zip(rows) {
                    l[j] = dot(row(a), row(b)).into();
                }
            }
        });
        (0..inputs).for_each(|i| l[i * (inputs + 1)] += damping);
        factorize(&mut l, inputs);
        let mut columns = vec![0f32; inputs * inputs];
        columns.par_chunks_mut(inputs).enumerate().for_each(|(i, column)| {
            let inverse = 1.0 / l[i * inputs + i];
            for (j, entry) in column.iter_mut().enumerate().skip(i + 1) {
                *entry = (l[j * inputs + i] * inverse) as f32;
            }
        });
        Self { order, columns, squares }
    }

    pub(super) fn inputs(&self) -> usize {
        self.order.len()
    }

    /// The scale at which nearest integers, of at most `bounds` in size in each input, cost least.
    pub(super) fn scale(&self, weights: &[f32], bounds: &[i32]) -> f64 {
        let inputs = self.inputs();
        let share = |row: &[f32]| {
            let shares =
                row.iter().zip(bounds).map(|(w, &most)| f64::from(w.abs()) / f64::from(most));
            shares.fold(0.0, f64::max)
        };
        let largest = weights.chunks_exact(inputs).map(share).fold(0.0, f64::max).max(1e-12);
        let cost = |scale: f64| -> f64 {
            let rows: Vec<f64> = weights
                .par_chunks_exact(inputs)
                .map(|row| {
                    let inputs = row.iter().zip(bounds).zip(&self.squares);
                    let cost = inputs.map(|((&w, &most), square)| {
                        let error = f64::from(w) - nearest(w, scale, most) * scale;
                        error * error * square
                    });
                    cost.sum()
                })
                .collect();
            rows.iter().sum()
        };
        let mut best = (f64::INFINITY, largest);
        for share in SHARES {
            let scale = largest * f64::from(share) / 100.0;
            let cost = cost(scale);
            if cost < best.0 {
                best = (cost, scale);
            }
        }
        best.1
    }

    /// Integers of at most `bounds` in size in each input, by rows of outputs.
    pub(super) fn rounded(&self, weights: &[f32], scale: f64, bounds: &[i32]) -> Vec<i32> {
        let inputs = self.inputs();
        let mut integers = vec![0i32; weights.len()];
        let few = integers.par_chunks_mut(ROWS * inputs).zip(weights.par_chunks(ROWS * inputs));
        few.for_each(|(integers, weights)| {
            let mut errors = vec![0f32; weights.len()];
            for (i, &at) in self.order.iter().enumerate().rev() {
                let column = &self.columns[i * inputs..][i + 1..inputs];
                let rows = integers.chunks_exact_mut(inputs).zip(weights.chunks_exact(inputs));
                for ((integers, weights), errors) in rows.zip(errors.chunks_exact_mut(inputs)) {
                    let w = weights[at] + dot(&errors[i + 1..], column);
                    let integer = nearest(w, scale, bounds[at]);
                    integers[at] = integer as i32;
                    errors[i] = weights[at] - (integer * scale) as f32;
                }
            }
        });
        integers
    }
}

/// The nearest integer of at most `most` in size, which is below 2^51.
fn nearest(w: f32, scale: f64, most: i32) -> f64 {
    // Numbers of that size are multiples of 1; a call of the library for each weight takes several times as long.
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    let most = f64::from(most);
    (f64::from(w) / scale).clamp(-most, most) + WHOLE - WHOLE
}

/// The factor `L` in the place of the lower half of a positive matrix.
fn factorize(l: &mut [f64], size: usize) {
    // Entry `j` of a row, of which those before it are done, as is row `j`.
    let solve = |j: usize, done: &[f64], row: &mut [f64]| {
        let other = &done[j * size..][..=j];
        row[j] = (row[j] - dot(&other[..j], &row[..j])) / other[j];
    };
    for first in (0..size).step_by(ROWS) {
        let end = size.min(first + ROWS);
        let (done, rest) = l.split_at_mut(end * size);
        for i in first..end {
            let (done, row) = done.split_at_mut(i * size);
            (first..i).for_each(|j| solve(j, done, row));
            let square = row[i] - dot(&row[..i], &row[..i]);
            row[i] = square.max(1e-30).sqrt();
        }
        rest.par_chunks_mut(size).for_each(|row| (first..end).for_each(|j| solve(j, done, row)));
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Rows of inputs that go together: few numbers, mixed.
    fn rows(random: &mut StdRng, tokens: usize, inputs: usize) -> Vec<f32> {
        let mut uniform =
            |n: usize| -> Vec<f32> { (0..n).map(|_| random.random_range(-1f32..1.0)).collect() };
        let mix = uniform(inputs * 6);
        let row = |few: &[f32], noise: &[f32]| -> Vec<f32> {
            mix.chunks(6).zip(noise).map(|(mix, noise)| dot(mix, few) + 0.1 * noise).collect()
        };
        (0..tokens).flat_map(|_| row(&uniform(6), &uniform(inputs))).collect()
    }

    #[test]
    fn the_factor_is_that_of_the_damped_matrix() {
        let x = rows(&mut StdRng::seed_from_u64(1), 50, 20);
        let metric = Metric::new(&x, 20);
        assert!(metric.order.windows(2).all(|w| metric.squares[w[0]] <= metric.squares[w[1]]));
        let (a, b) = (metric.order[0], metric.order[7]);
        let of = |i: usize, j: usize| -> f64 {
            x.chunks(20).map(|row| f64::from(row[i]) * f64::from(row[j])).sum()
        };
        // Column 0 of `L` is that of the matrix, over the root of its first entry.
        let damping = DAMPING * metric.squares.iter().sum::<f64>() / 20.0;
        let expected = of(a, b) / (of(a, a) + damping);
        assert!((f64::from(metric.columns[7]) - expected).abs() < 1e-4 * expected.abs().max(1.0));
    }

    #[test]
    fn errors_make_up_for_each_other() {
        let mut random = StdRng::seed_from_u64(2);
        let x = rows(&mut random, 200, 32);
        let weights: Vec<f32> = (0..5 * 32).map(|_| random.random_range(-1f32..1.0)).collect();
        let metric = Metric::new(&x, 32);
        let bounds = [7; 32];
        let scale = metric.scale(&weights, &bounds);
        let error = |integers: &[i32]| -> f64 {
            let off: Vec<f32> = integers
                .iter()
                .zip(&weights)
                .map(|(&q, w)| w - (f64::from(q) * scale) as f32)
                .collect();
            let outputs = off.chunks(32).flat_map(|off| x.chunks(32).map(|x| dot(off, x)));
            outputs.map(|y| f64::from(y) * f64::from(y)).sum()
        };
        let integers = metric.rounded(&weights, scale, &bounds);
        assert!(integers.iter().all(|q| q.abs() <= 7));
        let plain: Vec<i32> = weights.iter().map(|&w| nearest(w, scale, 7) as i32).collect();
        assert!(error(&integers) < 0.5 * error(&plain), "{} {}", error(&integers), error(&plain));
    }

    #[test]
    fn inputs_that_are_independent_are_rounded_alone() {
        let mut x = vec![0f32; 9];
        x.iter_mut().step_by(4).for_each(|x| *x = 1.0);
        let metric = Metric::new(&x, 3);
        let rounded = metric.rounded(&[0.4, -2.6, 30.0, -1.2, 0.6, 2.4], 1.0, &[3, 3, 7]);
        assert_eq!(rounded, [0, -3, 7, -1, 1, 2]);
    }
}
