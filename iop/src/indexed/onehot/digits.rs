//! One stage on one tile: `sum_x eq(z, x) sum_t lambda^t prod_d D_d(index(x))`, digits looked up.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::{Digit, split};
use crate::sumcheck::{Instance, Shape, univariate};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 9;

/// A digit's polynomial as a function of the whole index byte.
type ByteTable = [F128; 256];

/// `prod_{s in digit} (1 + sigma_s + bit_s(byte))` for every byte.
fn digit_table(sigma: &[F128], (start, width): Digit) -> ByteTable {
    let mut table = [F128::ZERO; 256];
    for (byte, entry) in table.iter_mut().enumerate() {
        let factor = |s: usize| {
            let bit = if byte >> s & 1 == 1 {
                F128::ONE
            } else {
                F128::ZERO
            };
            F128::ONE + sigma[s] + bit
        };
        *entry = (start..start + width).map(factor).product();
    }
    table
}

/// A factor of a term: looked up while few variables are bound, then held as field elements.
enum Factor {
    /// One table for each setting of the bound variables, scaled by its eq weight.
    Lookup(Vec<ByteTable>),
    Dense(Vec<F128>),
}

impl Factor {
    /// The factor's values at `start..start + out.len()` of the `2^left` positions left.
    fn read(&self, bytes: &[u8], left: usize, start: usize, out: &mut [F128]) {
        match self {
            Self::Dense(values) => out.copy_from_slice(&values[start..start + out.len()]),
            Self::Lookup(tables) => {
                for (i, (table, block)) in tables.iter().zip(bytes.chunks(1 << left)).enumerate() {
                    let block = &block[start..start + out.len()];
                    if i == 0 {
                        kernels::gather(out, table, block);
                    } else {
                        for (o, &b) in out.iter_mut().zip(block) {
                            *o += table[usize::from(b)];
                        }
                    }
                }
            }
        }
    }
}

/// The instance; variables are bound highest first.
pub(super) struct DigitProduct<'a> {
    bytes: &'a [u8],
    n_vars: usize,
    left: usize,
    /// Bound variables after which factors are held as field elements.
    lookups: usize,
    /// Each term's weight and its one or two factors.
    terms: Vec<(F128, Vec<(Digit, Factor)>)>,
    z: Vec<F128>,
    scale: F128,
    claim: F128,
    cofactor: [F128; 3],
}

impl<'a> DigitProduct<'a> {
    /// The stage to digits of `target` bits. `digits` are the current claims, `z` their point.
    pub(super) fn new(
        bytes: &'a [u8],
        z: Vec<F128>,
        sigma: &[F128],
        digits: &[(Digit, F128)],
        target: usize,
        lambda: F128,
    ) -> Self {
        let n_vars = z.len();
        assert_eq!(bytes.len(), 1 << n_vars);
        let claim = digits
            .iter()
            .rev()
            .fold(F128::ZERO, |acc, &(_, v)| acc * lambda + v);
        let mut power = F128::ONE;
        let mut terms = Vec::with_capacity(digits.len());
        for &(digit, _) in digits {
            let lookup = |d: Digit| (d, Factor::Lookup(vec![digit_table(sigma, d)]));
            terms.push((
                power,
                split(digit, target).into_iter().map(lookup).collect(),
            ));
            power *= lambda;
        }
        // As many as keep the field elements at 16 bytes an index.
        let lookups = match target {
            4 => 1,
            2 => 2,
            _ => 3,
        };
        let scale = F128::ONE;
        let cofactor = [F128::ZERO; 3];
        Self {
            bytes,
            n_vars,
            left: n_vars,
            lookups,
            terms,
            z,
            scale,
            claim,
            cofactor,
        }
    }

    /// The digits' values at the bound point.
    pub(super) fn values(&self) -> Vec<(Digit, F128)> {
        debug_assert_eq!(self.left, 0);
        let factors = self.terms.iter().flat_map(|(_, factors)| factors);
        factors
            .map(|(digit, factor)| {
                let mut value = [F128::ZERO];
                factor.read(self.bytes, 0, 0, &mut value);
                (*digit, value[0])
            })
            .collect()
    }

    /// `t(1)` (or `t(0)` where `flip`) and the coefficient of `X^2` of the cofactor of eq.
    fn sums(&self, flip: bool) -> (F128, F128) {
        let rest = self.left - 1;
        let chunk_vars = rest.min(CHUNK_VARS);
        let inner = kernels::eq_table(&self.z[..chunk_vars]);
        let outer = kernels::eq_table(&self.z[chunk_vars..rest]);
        let len = 1 << chunk_vars;
        let chunks = outer.par_iter().enumerate().map_init(
            || vec![vec![F128::ZERO; len]; 4],
            |buffers, (chunk, &weight)| {
                let (mut at, mut leading) = (F128::ZERO, F128::ZERO);
                for (lambda, factors) in &self.terms {
                    for ((_, factor), pair) in factors.iter().zip(buffers.chunks_mut(2)) {
                        let (lo, hi) = (chunk * len, (1 << rest) + chunk * len);
                        let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
                        factor.read(self.bytes, self.left, lo, &mut pair[0]);
                        factor.read(self.bytes, self.left, hi, &mut pair[1]);
                    }
                    let [a_lo, a_hi, b_lo, b_hi] = &buffers[..] else {
                        unreachable!()
                    };
                    let (one, two) = if factors.len() == 2 {
                        kernels::product_round(&inner, a_lo, a_hi, b_lo, b_hi)
                    } else {
                        (kernels::inner_product(&inner, a_hi), F128::ZERO)
                    };
                    at += *lambda * one;
                    leading += *lambda * two;
                }
                (weight * at, weight * leading)
            },
        );
        chunks.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1))
    }
}

impl Instance for DigitProduct<'_> {
    fn shape(&self) -> Shape {
        Shape {
            n_vars: self.n_vars,
            degree: 3,
        }
    }

    fn round(&mut self) -> Vec<F128> {
        let z = self.z[self.left - 1];
        let (at_one, leading) = self.sums(false);
        let at_zero = match F128::ONE + z {
            F128::ZERO => self.sums(true).0,
            other => (self.claim + z * at_one) * other.invert(),
        };
        let [a, b, c] = [at_zero, at_zero + at_one + leading, leading];
        self.cofactor = [a, b, c];
        let low = F128::ONE + z;
        [a * low, a + b * low, b + c * low, c]
            .iter()
            .map(|&x| self.scale * x)
            .collect()
    }

    fn bind(&mut self, r: F128) {
        self.claim = univariate(&self.cofactor, r);
        self.scale *= F128::ONE + self.z[self.left - 1] + r;
        self.left -= 1;
        let materialize = self.n_vars - self.left >= self.lookups;
        let (bytes, left) = (self.bytes, self.left);
        let factors = self.terms.iter_mut().flat_map(|(_, factors)| factors);
        let factors: Vec<&mut Factor> = factors.map(|(_, factor)| factor).collect();
        factors.into_par_iter().for_each(|factor| match factor {
            Factor::Dense(values) => {
                let (lo, hi) = values.split_at_mut(1 << left);
                kernels::fold(lo, hi, r);
                values.truncate(1 << left);
            }
            Factor::Lookup(tables) => {
                // The variable just bound is the lowest of those that number the tables.
                let mut next = Vec::with_capacity(2 * tables.len());
                for table in tables.iter() {
                    let high = table.map(|x| x * r);
                    let mut low = *table;
                    kernels::add_assign(&mut low, &high);
                    next.push(low);
                    next.push(high);
                }
                *tables = next;
                if materialize {
                    let mut values = vec![F128::ZERO; 1 << left];
                    factor.read(bytes, left, 0, &mut values);
                    *factor = Factor::Dense(values);
                }
            }
        });
    }
}
