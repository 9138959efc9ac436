//! The isomorphism between the two representations of GF(2^128).
//!
//! It is determined by the images of the seven generators of the tower. The image of the next
//! generator is a root of `y^2 + c y + 1`, where `c` is the image of the previous one (one at the
//! beginning). With `y = c z` that is `z^2 + z = 1 / c^2`, a linear equation over GF(2) with two
//! solutions, `z` and `z + 1`; the one taken is that whose `y` is the smaller integer. The basis
//! element of bit `j` of the tower is the product of the generators that the binary digits of `j`
//! select, and so is its image.

use std::sync::LazyLock;

use super::Tower128;
use crate::{F128, LinearMap};

static FROM_TOWER: LazyLock<LinearMap> = LazyLock::new(|| LinearMap::new(&basis_images()));

static TO_TOWER: LazyLock<LinearMap> =
    LazyLock::new(|| FROM_TOWER.inverse().expect("an isomorphism of fields is invertible"));

/// The images of the 128 bits of [`Tower128`].
fn basis_images() -> [F128; 128] {
    let mut images = [F128::ONE; 128];
    let mut generator = F128::ONE;
    for level in 0..7 {
        generator = next_generator(generator);
        for j in 0..1 << level {
            images[j | 1 << level] = images[j] * generator;
        }
    }
    images
}

/// The smaller root of `y^2 + c y + 1`.
fn next_generator(c: F128) -> F128 {
    let target = c.square().invert();
    let z = solve_artin_schreier(target).expect("the tower's polynomials split in GF(2^128)");
    (z * c).min((z + F128::ONE) * c)
}

/// A solution of `z^2 + z = target`, if there is one, by elimination over GF(2).
fn solve_artin_schreier(target: F128) -> Option<F128> {
    // pivots[i]: a pair (z^2 + z, z) whose first entry has bit i as its highest.
    let mut pivots = [None; 128];
    let reduce = |pivots: &[Option<(F128, F128)>; 128], mut image: F128, mut z: F128| {
        while !image.is_zero() {
            let top = 127 - image.to_bits().leading_zeros() as usize;
            match pivots[top] {
                Some((pivot, preimage)) => (image, z) = (image + pivot, z + preimage),
                None => return (image, z, Some(top)),
            }
        }
        (image, z, None)
    };
    for i in 0..128 {
        let basis = F128::new(1 << i);
        if let (image, z, Some(top)) = reduce(&pivots, basis.square() + basis, basis) {
            pivots[top] = Some((image, z));
        }
    }
    match reduce(&pivots, target, F128::ZERO) {
        (_, z, None) => Some(z),
        _ => None,
    }
}

impl From<Tower128> for F128 {
    /// The isomorphism from the tower.
    fn from(x: Tower128) -> Self {
        FROM_TOWER.apply(Self::new(x.to_bits()))
    }
}

impl From<F128> for Tower128 {
    /// The isomorphism to the tower.
    fn from(x: F128) -> Self {
        Self::new(TO_TOWER.apply(x).to_bits())
    }
}

/// The isomorphism from the tower on slices: `dst[i] = F128::from(src[i])`. The slices are of one
/// length.
pub fn from_tower(dst: &mut [F128], src: &[Tower128]) {
    FROM_TOWER.apply_slice(dst, bytemuck::cast_slice(src));
}

/// The isomorphism to the tower on slices: `dst[i] = Tower128::from(src[i])`. The slices are of one
/// length.
pub fn to_tower(dst: &mut [Tower128], src: &[F128]) {
    TO_TOWER.apply_slice(bytemuck::cast_slice_mut(dst), src);
}
