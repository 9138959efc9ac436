//! Files that fix the batch to a number other than 1: their target shapes have that number in them.
//!
//! They are read as files that leave the batch open. A target shape of a Reshape or an Expand becomes one that gives the same for as many
//! samples as the file says, and the samples' own number for others.

use super::super::value::Value;
use super::super::whole::Wholes;
use super::place::{Place, product};
use super::samples::{Samples, shape};

impl Samples {
    /// The target shape that operator `op_type` has for any number of samples, given its operand `name` and the one for as many as
    /// the file says; nothing where it is the same.
    pub(in crate::onnx) fn opened(
        &self,
        op_type: &str,
        wholes: &Wholes,
        (name, value): (&str, &Value),
        target: &[i64],
    ) -> Option<Vec<i64>> {
        let samples = self.fixed?;
        let place = self.place(name)?;
        let shape = shape(wholes, name, value);
        match op_type {
            "Reshape" => reshaped(place, &shape, target, samples),
            "Expand" => expanded(place, &shape, target, samples),
            _ => None,
        }
    }
}

/// The target of a Reshape whose dimension that grows with the samples is what the others leave.
fn reshaped(place: Place, shape: &[usize], target: &[i64], samples: usize) -> Option<Vec<i64>> {
    let wild = target.iter().position(|&size| size == -1);
    let grown = |dim: usize| {
        let mut sizes = Vec::with_capacity(target.len());
        for (at, &size) in target.iter().enumerate() {
            let size = usize::try_from(size.max(0)).ok()?;
            sizes.push(match size {
                _ if at == dim => size.checked_div(samples).filter(|n| n * samples == size)?,
                _ if wild == Some(at) => 1,
                0 => *shape.get(at).filter(|_| at != place.dim)?,
                size => size,
            });
        }
        if let Some(wild) = wild {
            sizes[wild] = product(shape)?.checked_div(product(&sizes)?)?;
        }
        place.reshaped(shape, &sizes, dim)?;
        let mut opened: Vec<i64> =
            sizes.iter().map(|&size| i64::try_from(size)).collect::<Result<_, _>>().ok()?;
        opened[dim] = -1;
        Some(opened)
    };
    (0..target.len()).filter(|&dim| target[dim] > 0).find_map(grown)
}

/// The target of an Expand that leaves the dimension of the samples as it is.
fn expanded(place: Place, shape: &[usize], target: &[i64], samples: usize) -> Option<Vec<i64>> {
    let at = (place.dim + target.len()).checked_sub(shape.len())?;
    let all = i64::try_from(place.size().checked_mul(samples)?).ok()?;
    let mut opened = target.to_vec();
    let size = opened.get_mut(at).filter(|size| **size == all)?;
    *size = 1;
    Some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dimension_of_samples_is_what_others_leave() {
        let first = Place::alone(0);
        let opened = |place, shape: &[usize], target: &[i64]| reshaped(place, shape, target, 4);
        assert_eq!(opened(first, &[1, 6], &[4, 2, 3]), Some(vec![-1, 2, 3]));
        assert_eq!(opened(first, &[1, 4], &[4, 4]), Some(vec![-1, 4]));
        assert_eq!(opened(first, &[1, 6], &[4, -1]), Some(vec![-1, 6]));
        assert_eq!(opened(first, &[1, 6, 5], &[24, 5]), Some(vec![-1, 5]));
        assert_eq!(opened(first, &[1, 6, 5], &[4, 0, 5, 1]), Some(vec![-1, 6, 5, 1]));
        let heads = Place { dim: 1, outer: 1, inner: 2 };
        assert_eq!(opened(heads, &[5, 2, 4], &[5, 8, -1]), Some(vec![5, -1, 4]));
        assert_eq!(opened(heads, &[5, 2, 4], &[5, 4, 2, 4]), Some(vec![5, -1, 2, 4]));
        // Open as they are, of another number of samples, or of parts of them.
        assert_eq!(opened(first, &[1, 6], &[-1, 2, 3]), None);
        assert_eq!(opened(first, &[1, 6], &[0, 2, 3]), None);
        assert_eq!(opened(first, &[1, 6], &[5, 6]), None);
        assert_eq!(opened(first, &[1, 6], &[3, 8]), None);
        assert_eq!(opened(first, &[1, 6], &[i64::MAX, i64::MAX, 4]), None);
        assert_eq!(expanded(first, &[1, 1, 5], &[4, 3, 5], 4), Some(vec![1, 3, 5]));
        assert_eq!(expanded(first, &[1, 1, 5], &[2, 4, 3, 5], 4), Some(vec![2, 1, 3, 5]));
        assert_eq!(expanded(first, &[1, 1, 5], &[3, 3, 5], 4), None);
        assert_eq!(expanded(first, &[1, 1, 5], &[5], 4), None);
    }
}
