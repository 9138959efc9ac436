//! Rounding of weights such that the errors of inputs that go together make up for each other.
//!
//! With inputs `x` as a text has them and `H = sum x x^T = L L^T`, an output's error is the size of `(w - q) L`. The last
//! entry of that depends on the last weight alone, the one before on two, and so on: each weight in turn is rounded from
//! where it makes its entry least, given those that are integers already. (Frantar and others, *GPTQ*, 2022; it is Babai's
//! nearest plane.) Inputs of larger squares are rounded first. All sums are in a fixed order.

use rayon::prelude::*;

use super::products::{dot, transposed};

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
        l.par_chunks_mut(inputs).zip(&order).enumerate().for_each(|(i, (l, &a))| {
            for (l, &b) in l.iter_mut().zip(&order[..=i]) {
                *l = dot(row(a), row(b)).into();
            }
            l[i] += damping;
        });
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
                        let error = f64::from(w) - f64::from(nearest(w, scale, most)) * scale;
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
        let rows = integers.par_chunks_exact_mut(inputs).zip(weights.par_chunks_exact(inputs));
        rows.for_each(|(integers, weights)| {
            let mut errors = vec![0f32; inputs];
            for (i, &at) in self.order.iter().enumerate().rev() {
                let column = &self.columns[i * inputs..][..inputs];
                let w = weights[at] + dot(&errors[i + 1..], &column[i + 1..]);
                integers[at] = nearest(w, scale, bounds[at]);
                errors[i] = weights[at] - (f64::from(integers[at]) * scale) as f32;
            }
        });
        integers
    }
}

/// The nearest integer of at most `most` in size.
fn nearest(w: f32, scale: f64, most: i32) -> i32 {
    let most = f64::from(most);
    (f64::from(w) / scale).round_ties_even().clamp(-most, most) as i32
}

/// The factor `L` in the place of the lower half of a positive matrix.
fn factorize(l: &mut [f64], size: usize) {
    for j in 0..size {
        let (done, rest) = l.split_at_mut((j + 1) * size);
        let row = &mut done[j * size..];
        let square = row[j] - dot(&row[..j], &row[..j]);
        row[j] = square.max(1e-30).sqrt();
        let (row, inverse) = (&row[..j], 1.0 / row[j]);
        rest.par_chunks_mut(size).with_min_len(32).for_each(|other| {
            other[j] = (other[j] - dot(row, &other[..j])) * inverse;
        });
    }
}
