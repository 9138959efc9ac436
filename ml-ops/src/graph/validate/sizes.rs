//! Sizes of tensors and weights, and their alphabets.

use super::MAX_ELEMENTS;
use crate::graph::{Alphabet, Graph, GraphError, TensorKind, digits_per_byte};

impl Graph {
    pub(super) fn check_tensors(&self) -> Result<(), GraphError> {
        for (tensor, shape) in self.tensors.iter().enumerate() {
            let elements = shape.rows_per_sample.checked_mul(shape.features);
            if !elements.is_some_and(|e| (1..=MAX_ELEMENTS).contains(&e)) {
                return Err(GraphError::TensorSize {
                    tensor,
                    rows_per_sample: shape.rows_per_sample,
                    features: shape.features,
                });
            }
            if let TensorKind::Integer { bits } = shape.kind
                && !(1..=63).contains(&bits)
            {
                return Err(GraphError::IntegerWidth { tensor, bits });
            }
        }
        Ok(())
    }

    pub(super) fn check_weights(&self) -> Result<(), GraphError> {
        for (weights, shape) in self.weights.iter().enumerate() {
            let (k, n) = (shape.k, shape.n);
            let elements = k.checked_mul(n);
            if !elements.is_some_and(|e| (1..=MAX_ELEMENTS).contains(&e)) {
                return Err(GraphError::WeightSize { weights, k, n });
            }
            let small = |v: &i32| (-255..=255).contains(v);
            let valid = match &shape.alphabet {
                Alphabet::Digits { values, per_byte } => {
                    (2..=16).contains(&values.len())
                        && values.iter().all(small)
                        && values.is_sorted_by(|a, b| a < b)
                        && *per_byte == digits_per_byte(values.len())
                }
                Alphabet::Byte { offsets } => {
                    (offsets.len() == 1 || offsets.len() == n) && offsets.iter().all(small)
                }
            };
            if !valid {
                return Err(GraphError::Alphabet { weights });
            }
            if shape.bias_bits > 62 {
                let bits = shape.bias_bits;
                return Err(GraphError::BiasWidth { weights, bits });
            }
        }
        Ok(())
    }
}
