//! The ports: their dimensions, scales and zero points.

use super::check_name;
use super::steps::positive;
use crate::graph::{
    Graph, GraphError, InputPort, InputTransform, IntegerType, OutputPort, OutputTransform,
    TensorKind,
    port::{affine_is_injective, dequantize_table},
};
use std::collections::BTreeSet;

impl Graph {
    pub(super) fn check_inputs(&self) -> Result<(), GraphError> {
        let mut tensors = BTreeSet::new();
        for port in self.inputs() {
            self.check_input(port)?;
            if !tensors.insert(port.tensor) {
                return Err(GraphError::InputTwice { tensor: port.tensor });
            }
        }
        self.input_names.iter().try_for_each(|name| check_name(name))?;
        let different: BTreeSet<&str> = self.input_names.iter().map(String::as_str).collect();
        let (inputs, names) = (tensors.len(), self.input_names.len());
        let named = inputs > 1 && [names, different.len()] == [inputs; 2];
        if names > 0 && (!named || different.contains("")) {
            return Err(GraphError::InputNames { inputs, names });
        }
        Ok(())
    }

    fn check_input(&self, port: &InputPort) -> Result<(), GraphError> {
        let tensor = port.tensor;
        let elements = elements(&port.shape);
        let shape = self.tensors.get(tensor).ok_or(GraphError::NoSuchTensor { tensor })?;
        let expected = match port.transform {
            InputTransform::OneHot { vocabulary } if vocabulary == shape.features => {
                Some(shape.rows_per_sample)
            }
            InputTransform::OneHot { .. } => None,
            _ => Some(shape.per_sample()),
        };
        let transform = match &port.transform {
            InputTransform::Computed { operations, then } => {
                let elements = shape.per_sample();
                let valid = operations.iter().all(|operation| operation.is_valid(elements));
                let quantizes = matches!(
                    **then,
                    InputTransform::Quantize { .. } | InputTransform::QuantizeWords { .. }
                );
                if !(valid && quantizes) {
                    return Err(GraphError::PortScale { tensor });
                }
                &**then
            }
            transform => transform,
        };
        let kind = match *transform {
            InputTransform::Words { dtype } | InputTransform::QuantizeWords { dtype, .. } => {
                dtype.kind()
            }
            _ => TensorKind::Code,
        };
        if shape.kind != kind || expected.is_none() || elements != expected {
            return Err(GraphError::PortShape { tensor });
        }
        match transform {
            InputTransform::Codes { .. }
            | InputTransform::Words { .. }
            | InputTransform::OneHot { .. } => Ok(()),
            InputTransform::Numbers { count } => match (1..=256).contains(count) {
                true => Ok(()),
                false => Err(GraphError::PortScale { tensor }),
            },
            &InputTransform::QuantizeWords { scale, zero_point, dtype } => {
                if positive(scale) && dtype.has(zero_point.into()) {
                    Ok(())
                } else {
                    Err(GraphError::PortScale { tensor })
                }
            }
            &InputTransform::Quantize { scale, zero_point, dtype } => {
                if positive(scale) && dtype.code(zero_point).is_some() {
                    Ok(())
                } else {
                    Err(GraphError::PortScale { tensor })
                }
            }
            InputTransform::Computed { .. } => Err(GraphError::PortScale { tensor }),
            &InputTransform::Levels { low, high } => {
                if low.is_finite() && high.is_finite() && low < high {
                    Ok(())
                } else {
                    Err(GraphError::PortScale { tensor })
                }
            }
        }
    }

    pub(super) fn check_outputs(&self) -> Result<(), GraphError> {
        // Each is a claim on a tensor of its own.
        let mut tensors = BTreeSet::new();
        for port in self.outputs() {
            self.check_output(port)?;
            if !tensors.insert(port.tensor) {
                return Err(GraphError::OutputTwice { tensor: port.tensor });
            }
        }
        Ok(())
    }

    fn check_output(&self, port: &OutputPort) -> Result<(), GraphError> {
        let tensor = port.tensor;
        let elements = elements(&port.shape);
        let shape = self.tensors.get(tensor).ok_or(GraphError::NoSuchTensor { tensor })?;
        if elements != Some(shape.per_sample()) {
            return Err(GraphError::PortShape { tensor });
        }
        let agrees = match &port.transform {
            OutputTransform::Codes { .. } | OutputTransform::Dequantize { .. } => {
                shape.kind == TensorKind::Code
            }
            OutputTransform::Words { dtype } | OutputTransform::DequantizeWords { dtype, .. } => {
                shape.kind == dtype.kind()
            }
            OutputTransform::Integer { dtype } => {
                let most = match dtype {
                    IntegerType::I32 => 32,
                    IntegerType::I64 => 63,
                };
                matches!(shape.kind, TensorKind::Integer { bits } if bits <= most)
            }
            OutputTransform::Affine { scales, offsets } => {
                let columns = scales.len() == 1 || scales.len() == shape.features;
                columns
                    && offsets.len() == scales.len()
                    && matches!(shape.kind, TensorKind::Integer { .. })
            }
        };
        if !agrees {
            return Err(GraphError::PortShape { tensor });
        }
        if let OutputTransform::Dequantize { scale, zero_point, dtype } = port.transform {
            let valid = positive(scale) && dtype.code(zero_point).is_some() && {
                let images = dequantize_table(scale, zero_point, dtype);
                images.iter().all(|x| x.is_finite()) && images.is_sorted_by(|a, b| a < b)
            };
            if !valid {
                return Err(GraphError::PortScale { tensor });
            }
        }
        if let OutputTransform::DequantizeWords { scale, zero_point, dtype } = port.transform
            && !(positive(scale) && dtype.is_injective(scale, zero_point))
        {
            return Err(GraphError::PortScale { tensor });
        }
        if let (OutputTransform::Affine { scales, offsets }, TensorKind::Integer { bits }) =
            (&port.transform, shape.kind)
        {
            let mut pairs = scales.iter().zip(offsets);
            if !pairs.all(|(&scale, &offset)| affine_is_injective(bits, scale, offset)) {
                return Err(GraphError::PortScale { tensor });
            }
        }
        Ok(())
    }
}

fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}
