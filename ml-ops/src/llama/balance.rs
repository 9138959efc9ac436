//! Scales of features between two matrices that take them back, so that none of either's weights stand out.

use super::matrices::{scale_inputs, scale_outputs};
use super::network::{Layer, Sizes};

impl Layer {
    /// The same function with pairs of the queries' features, and hidden features, scaled such that what writes them and
    /// what reads them are alike in size.
    pub(super) fn balanced(&self, sizes: &Sizes) -> Self {
        let Sizes { width, heads, kv_heads, .. } = *sizes;
        let mut layer = self.clone();
        // A feature of the keys is multiplied with one of each head that shares them, and pairs are rotated.
        let (head, shared) = (sizes.head(), heads / kv_heads);
        let q = by_row(&self.q, width);
        let k = by_row(&self.k, width);
        let mut keys = vec![1.0; k.len()];
        let mut queries = vec![1.0; q.len()];
        for pair in 0..k.len() / 2 {
            let (group, at) = (2 * pair / head, 2 * pair % head);
            let rows = (0..shared).flat_map(|of| (0..2).map(move |i| (of, i)));
            let rows: Vec<usize> =
                rows.map(|(of, i)| (group * shared + of) * head + at + i).collect();
            let square = rows.iter().map(|&row| q[row]).sum::<f64>() / shared as f64;
            let factor = ratio(square, k[2 * pair] + k[2 * pair + 1]);
            keys[2 * pair..][..2].fill(factor);
            rows.iter().for_each(|&row| queries[row] = 1.0 / factor);
        }
        scale_outputs(&mut layer.k, width, &keys);
        scale_outputs(&mut layer.q, width, &queries);
        let up = by_row(&self.up, width);
        let mut down = vec![0f64; up.len()];
        for row in self.down.chunks_exact(down.len()) {
            down.iter_mut().zip(row).for_each(|(sum, &w)| *sum += f64::from(w) * f64::from(w));
        }
        let factors: Vec<f64> = down.iter().zip(&up).map(|(&d, &u)| ratio(d, u)).collect();
        let inverses: Vec<f64> = factors.iter().map(|factor| 1.0 / factor).collect();
        scale_outputs(&mut layer.up, width, &factors);
        scale_inputs(&mut layer.down, &inverses);
        layer
    }
}

/// The sum of the squares of each row.
fn by_row(weights: &[f32], inputs: usize) -> Vec<f64> {
    let square = |row: &[f32]| row.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
    weights.chunks_exact(inputs).map(square).collect()
}

/// The factor that brings the size with square `b` to the geometric mean of both.
fn ratio(a: f64, b: f64) -> f64 {
    let least = 1e-12;
    (a.max(least) / b.max(least)).sqrt().sqrt()
}
