//! How coefficients are packed into words, as the linear maps that ring switching needs.
//!
//! A word is `sum_i c_i beta_i` with coefficients `c_i` in a subfield `K` and a basis `beta_i` of
//! [`F128`] over `K`.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use std::sync::OnceLock;

use binfer_field::{F128, Tower128, kernels};

use crate::Width;

/// The challenges `r''` that combine coordinates; narrower packings use the first ones.
pub(crate) const SWITCH_VARS: usize = 7;

/// The map `L(w) = sum_u eq(r'', u) w_u` over the coordinates `w_u` in `K` of `w`.
pub(crate) struct Switch {
    /// `beta_i`.
    basis: Vec<F128>,
    /// `L(x^u)`.
    pub(crate) images: [F128; 128],
}

impl Switch {
    fn new(width: Width, r: &[F128]) -> Self {
        let n_vars = width.log_coefficients();
        let eq = kernels::eq_table(r.get(..n_vars as usize).unwrap_or(r));
        let monomials: [F128; 128] = core::array::from_fn(|u| F128::new(1 << u));
        match width {
            Width::Bit => {
                let mut weights = eq.into_iter();
                let images = monomials.map(|_| weights.next().unwrap_or(F128::ZERO));
                Self { basis: monomials.to_vec(), images }
            }
            Width::B8 | Width::B32 => {
                let n_bits = 128 >> n_vars;
                let shifts = (0u32..128).step_by(n_bits as usize);
                let image = |word: F128| {
                    let coefficients = shifts.clone().map(|s| coefficient(word, s, n_bits));
                    coefficients.zip(&eq).map(|(c, &weight)| weight * c).sum()
                };
                let images = monomials.map(image);
                let basis = shifts.map(|s| Tower128::new(1 << s).into()).collect();
                Self { basis, images }
            }
            Width::B128 => Self { basis: vec![F128::ONE], images: monomials },
        }
    }

    /// `L(x)`.
    fn apply(&self, x: F128) -> F128 {
        let bits = core::iter::successors(Some(x.to_bits()), |bits| Some(bits >> 1));
        let images = self.images.iter().zip(bits).filter(|(_, bits)| bits & 1 == 1);
        images.map(|(&image, _)| image).sum()
    }

    /// `sum_u eq(r'', u) sum_i s_{i,u} beta_i = sum_i beta_i L(s_i)`, the sums `s_i` over the words
    /// being of a weight times coefficient `i`.
    pub(crate) fn transpose(&self, s: &[F128]) -> F128 {
        self.basis.iter().zip(s).map(|(&beta, &s)| beta * self.apply(s)).sum()
    }
}

/// The coefficient of `n_bits` bits that starts at bit `shift` of the word's image in the tower.
fn coefficient(word: F128, shift: u32, n_bits: u32) -> F128 {
    let bits = Tower128::from(word).to_bits() >> shift;
    Tower128::new(bits & !(u128::MAX << n_bits)).into()
}

/// The maps of all widths at one `r''`, made when needed.
pub(crate) struct Switches {
    r: Vec<F128>,
    maps: [OnceLock<Switch>; Width::ALL.len()],
}

impl Switches {
    /// The maps at `r''`, which has [`SWITCH_VARS`] coordinates.
    pub(crate) fn new(r: Vec<F128>) -> Self {
        Self { r, maps: Default::default() }
    }

    /// The map for words of this width.
    pub(crate) fn of(&self, width: Width) -> &Switch {
        let [bit, b8, b32, b128] = &self.maps;
        let map = match width {
            Width::Bit => bit,
            Width::B8 => b8,
            Width::B32 => b32,
            Width::B128 => b128,
        };
        map.get_or_init(|| Switch::new(width, &self.r))
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn words_are_sums_of_coefficients_times_the_basis() {
        let mut rng = StdRng::seed_from_u64(1);
        for width in [Width::B8, Width::B32] {
            let n_bits = 128 >> width.log_coefficients();
            let r: Vec<F128> = (0..7).map(|_| F128::random(&mut rng)).collect();
            let switch = Switch::new(width, &r);
            let word = F128::random(&mut rng);
            let coefficients: Vec<F128> =
                (0..128 / n_bits).map(|i| coefficient(word, i * n_bits, n_bits)).collect();
            let sum: F128 = coefficients.iter().zip(&switch.basis).map(|(&c, &b)| c * b).sum();
            assert_eq!(sum, word);
            for c in coefficients {
                assert_eq!(c.frobenius(n_bits), c, "in the subfield");
                assert_eq!(switch.apply(c * word), c * switch.apply(word), "linear over it");
            }
        }
    }
}
