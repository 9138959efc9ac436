//! Where samples are numbered: a dimension, or a part of one.

/// A dimension of `outer * samples * inner` indices, the sample's number between the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which dimension of the file's.
    pub(super) dim: usize,
    pub(super) outer: usize,
    pub(super) inner: usize,
}

impl Place {
    /// A dimension that numbers samples and nothing else.
    pub(super) fn alone(dim: usize) -> Self {
        Self { dim, outer: 1, inner: 1 }
    }

    /// The size of the dimension for one sample.
    pub(super) fn size(self) -> usize {
        self.outer.saturating_mul(self.inner)
    }

    /// The same part of dimension `dim`.
    pub(super) fn at(self, dim: usize) -> Self {
        Self { dim, ..self }
    }

    /// Whether nothing comes before the sample's number in a tensor of shape `shape`: one sample follows on the other.
    pub(super) fn is_first(self, shape: &[usize]) -> bool {
        self.outer == 1 && shape.iter().take(self.dim).all(|&size| size == 1)
    }

    /// Where samples are when the elements of the shape `from` are in the shape `to`, dimension `dim` of which grows with them
    /// (both shapes are those of one sample); `None` where the number of a sample is no part of that dimension alone.
    pub(super) fn reshaped(self, from: &[usize], to: &[usize], dim: usize) -> Option<Self> {
        let before = product(from.get(..self.dim)?)?.checked_mul(self.outer)?;
        let after = product(from.get(self.dim + 1..)?)?.checked_mul(self.inner)?;
        let divided = |all: usize, by: usize| (by > 0 && all.is_multiple_of(by)).then(|| all / by);
        let outer = divided(before, product(to.get(..dim)?)?)?;
        let inner = divided(after, product(to.get(dim + 1..)?)?)?;
        let place = Self { dim, outer, inner };
        (place.size() == *to.get(dim)?).then_some(place)
    }
}

/// The number of elements of a shape, if it is within a `usize`.
pub(super) fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_keep_the_number_of_a_sample_within_a_dimension() {
        let first = Place::alone(0);
        // Rows of all samples, and back.
        let rows = Place { dim: 0, outer: 1, inner: 5 };
        assert_eq!(first.reshaped(&[1, 5, 8], &[5, 8], 0), Some(rows));
        assert_eq!(rows.reshaped(&[5, 8], &[1, 5, 2, 4], 0), Some(first));
        // Heads beside samples, in the middle.
        let second = Place::alone(1);
        let heads = Place { dim: 1, outer: 1, inner: 2 };
        assert_eq!(second.reshaped(&[5, 1, 8], &[5, 2, 4], 1), Some(heads));
        let both = Place { dim: 0, outer: 5, inner: 2 };
        assert_eq!(heads.reshaped(&[5, 2, 4], &[10, 4], 0), Some(both));
        assert_eq!(both.reshaped(&[10, 4], &[5, 1, 8], 1), Some(second));
        assert!(first.is_first(&[1, 4]) && second.is_first(&[1, 1, 4]) && rows.is_first(&[5, 4]));
        assert!(!second.is_first(&[5, 1, 8]) && !both.is_first(&[10, 4]));
        // Two features before the samples are no features of each.
        assert_eq!(first.reshaped(&[1, 6], &[2, 3], 1), None);
        assert_eq!(first.reshaped(&[1, 6], &[4, 3], 0), None);
        assert_eq!(second.reshaped(&[5, 1, 8], &[1, 40], 0), None);
    }
}
