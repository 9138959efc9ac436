//! Constraints on bits that zerochecks prove: rectified integers, and which tap is the largest.

use binfer_iop::zerocheck::Constraint;

/// `y_t = x_t x_top` below the top bit and `y_t = 0` from there on (or `y_t = x_t` where the input is
/// unsigned), planes of `x` first.
pub(super) fn relu_constraints(x_bits: u32, y_bits: u32, unsigned: bool) -> Vec<Constraint> {
    let (x_bits, y_bits) = (x_bits as usize, y_bits as usize);
    let top = x_bits.saturating_sub(1);
    let constraint = |t: usize| {
        let (mut products, mut linear) = (vec![], vec![x_bits.saturating_add(t)]);
        if unsigned {
            linear.push(t);
        } else if t < top {
            products.push((t, top));
        }
        Constraint { products, linear, constant: false }
    };
    (0..y_bits).map(constraint).collect()
}

/// Bits of a difference, below its selector.
pub(super) const DIFFERENCE_BITS: u32 = 8;

/// Of `taps` differences with a selector each: a selected one is zero, and an odd number of taps are selected. The
/// first selector is stored inverted, so that zeros, which fill the last words of small tiles, satisfy all.
pub(super) fn max_constraints(taps: usize) -> Vec<Constraint> {
    let bits = DIFFERENCE_BITS as usize;
    let plane = |tap: usize, bit: usize| tap.saturating_mul(bits + 1).saturating_add(bit);
    let of_tap = |tap: usize| {
        (0..bits).map(move |bit| Constraint {
            products: vec![(plane(tap, bit), plane(tap, bits))],
            linear: if tap == 0 { vec![plane(tap, bit)] } else { Vec::new() },
            constant: false,
        })
    };
    let selectors = (0..taps).map(|tap| plane(tap, bits)).collect();
    let parity = Constraint { linear: selectors, ..Constraint::default() };
    (0..taps).flat_map(of_tap).chain([parity]).collect()
}

/// `z_t s = 0`: an integer of `bits` bits is zero where its selector, the plane after its own, is set.
pub(super) fn selected_constraints(bits: u32) -> Vec<Constraint> {
    let bits = bits as usize;
    let constraint = |bit| Constraint { products: vec![(bit, bits)], ..Constraint::default() };
    (0..bits).map(constraint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all constraints vanish on the bits of `x` (offset binary) and `y`.
    fn holds(x: i64, x_bits: u32, y: i64, y_bits: u32) -> bool {
        let entry = (x + (1 << (x_bits - 1))) | y << x_bits;
        relu_constraints(x_bits, y_bits, false).iter().all(|c| {
            let products = c.products.iter().map(|&(a, b)| entry >> a & entry >> b & 1);
            let linear = c.linear.iter().map(|&a| entry >> a & 1);
            products.chain(linear).sum::<i64>() % 2 == 0
        })
    }

    #[test]
    fn constraints_of_a_maximum_select_taps_without_difference() {
        for taps in 1..4usize {
            let constraints = max_constraints(taps);
            // One bit of each difference, and all selectors.
            for bits in 0..1u64 << (2 * taps) {
                let (mut entry, mut zero_selected, mut selected) = (0u64, true, 0);
                for tap in 0..taps {
                    let (difference, is_selected) =
                        (bits >> (2 * tap) & 1, bits >> (2 * tap + 1) & 1);
                    let stored = if tap == 0 { 1 - is_selected } else { is_selected };
                    entry |= (difference << (tap % 8) | stored << 8) << (9 * tap);
                    zero_selected &= difference & is_selected == 0;
                    selected += is_selected;
                }
                let holds = constraints.iter().all(|c| {
                    let products = c.products.iter().map(|&(a, b)| entry >> a & entry >> b & 1);
                    let linear = c.linear.iter().map(|&a| entry >> a & 1);
                    (products.chain(linear).sum::<u64>() + u64::from(c.constant)).is_multiple_of(2)
                });
                assert_eq!(holds, zero_selected && selected % 2 == 1, "{taps} {bits:b}");
            }
        }
    }

    #[test]
    fn constraints_are_relu_at_every_width() {
        for x_bits in 1..7 {
            let y_bits = (x_bits - 1).max(1);
            for x in -(1i64 << (x_bits - 1))..1 << (x_bits - 1) {
                for y in 0..1i64 << y_bits {
                    assert_eq!(holds(x, x_bits, y, y_bits), y == x.max(0), "{x} {y} {x_bits}");
                }
            }
        }
    }
}
