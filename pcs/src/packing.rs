//! How coefficients are packed into words, as the linear maps that ring switching needs.
//!
//! A word is `sum_i c_i beta_i` with coefficients `c_i` in a subfield `K` and a basis `beta_i` of
//! [`F128`] over `K`.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)
)]

use binfer_field::{F128, LinearMap, kernels};

use crate::Width;

/// The challenges `r''` that combine coordinates; narrower packings use the first ones.
pub(crate) const SWITCH_VARS: usize = 7;

/// The map `L(w) = sum_u eq(r'', u) w_u` over the coordinates `w_u` in `K` of `w`.
pub(crate) struct Switch {
    /// `beta_i`.
    basis: Vec<F128>,
    /// `L(x^u)`.
    pub(crate) images: [F128; 128],
    pub(crate) map: LinearMap,
}

impl Switch {
    fn new(width: Width, r: &[F128]) -> Self {
        let n_vars = width.log_coefficients() as usize;
        let eq = kernels::eq_table(r.get(..n_vars).unwrap_or(r));
        let monomials: [F128; 128] = core::array::from_fn(|u| F128::new(1 << u));
        let (basis, images) = match width {
            Width::Bit => {
                let mut weights = eq.into_iter();
                (
                    monomials.to_vec(),
                    monomials.map(|_| weights.next().unwrap_or(F128::ZERO)),
                )
            }
            Width::B128 => (vec![F128::ONE], monomials),
        };
        Self {
            basis,
            map: LinearMap::new(&images),
            images,
        }
    }

    /// `sum_u eq(r'', u) sum_i s_{i,u} beta_i = sum_i beta_i L(s_i)`, the sums `s_i` over the words
    /// being of a weight times coefficient `i`.
    pub(crate) fn transpose(&self, s: &[F128]) -> F128 {
        self.basis
            .iter()
            .zip(s)
            .map(|(&beta, &s)| beta * self.map.apply(s))
            .sum()
    }
}

/// The maps of all widths at one `r''`.
pub(crate) struct Switches([Switch; Width::ALL.len()]);

impl Switches {
    /// The maps at `r''`, which has [`SWITCH_VARS`] coordinates.
    pub(crate) fn new(r: &[F128]) -> Self {
        Self(Width::ALL.map(|width| Switch::new(width, r)))
    }

    /// The map for words of this width.
    pub(crate) fn of(&self, width: Width) -> &Switch {
        let [bit, b128] = &self.0;
        match width {
            Width::Bit => bit,
            Width::B128 => b128,
        }
    }
}
