//! A product whose factor for some bits is there if one of them is set: a sum of two products over the bits.

use binfer_field::F128;

use super::bits::{Bits, ProductBits};
use super::histogram::Histogram;

/// With `g` the gate and `z` one where all gated bits are zero, `T = g prod_s p_s^(v_s) + (1 + g) z prod_s p_s^(v_s)`. The second is
/// a product whose factors for the gated bits are zero.
pub(super) struct GatedBits<'a> {
    open: ProductBits<'a>,
    closed: ProductBits<'a>,
}

impl<'a> GatedBits<'a> {
    pub(super) fn new(
        gate: Vec<F128>,
        gated: usize,
        factors: Vec<Vec<F128>>,
        histogram: Histogram<'a>,
    ) -> Self {
        let lowered = gate.iter().map(|&g| g + F128::ONE).collect();
        let zeros = vec![F128::ZERO; gate.len()];
        let others = factors.iter().skip(gated).cloned();
        let closed = core::iter::repeat_n(zeros, gated).chain(others).collect();
        Self {
            open: ProductBits::new(gate, factors, histogram.clone()),
            closed: ProductBits::part(lowered, closed, histogram),
        }
    }
}

impl Bits for GatedBits<'_> {
    fn round(&mut self, eq: &[F128]) -> (F128, F128) {
        let (open, closed) = (self.open.round(eq), self.closed.round(eq));
        (open.0 + closed.0, open.1 + closed.1)
    }

    fn bind(&mut self, r: F128, eq: &[F128]) {
        self.open.bind(r, eq);
        self.closed.bind(r, eq);
    }

    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)> {
        let ((mut table, histogram), (closed, _)) = (self.open.finish()?, self.closed.finish()?);
        binfer_field::kernels::add_assign(&mut table, &closed);
        Some((table, histogram))
    }
}
