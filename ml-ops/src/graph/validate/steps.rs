//! Step functions: scales, ranges and edges.

use crate::graph::{Edges, Epilogue, GraphError, Requantize, Step};

/// Whether there is one valid step function for all of `columns` columns or one for each, if any.
pub(super) fn check_epilogue(
    node: usize,
    epilogue: &Epilogue,
    columns: usize,
) -> Result<(), GraphError> {
    let count = |got| match got {
        got if got == 1 || got == columns => Ok(()),
        got => Err(GraphError::StepCount { node, columns, got }),
    };
    match epilogue {
        Epilogue::Accumulator => Ok(()),
        Epilogue::Requantize(Requantize { steps }) => {
            count(steps.len())?;
            let invalid = steps.iter().position(|step| !valid_step(step));
            invalid.map_or(Ok(()), |step| Err(GraphError::Step { node, step }))
        }
        Epilogue::Edges(steps) => {
            count(steps.len())?;
            let invalid = steps.iter().position(|step| !valid_edges(step));
            invalid.map_or(Ok(()), |step| Err(GraphError::Edges { node, step }))
        }
    }
}

fn valid_edges(step: &Edges) -> bool {
    step.edges.len() <= usize::from(u8::MAX - step.first) && step.edges.is_sorted()
}

fn valid_step(step: &Step) -> bool {
    let type_max = step.type_min.saturating_add(255);
    positive(step.scale)
        && (step.type_min == 0 || step.type_min == -128)
        && step.type_min <= step.qmin
        && step.qmin <= step.qmax
        && step.qmax <= type_max
        && (step.type_min..=type_max).contains(&step.zero_point)
}

pub(super) fn positive(scale: f32) -> bool {
    scale.is_finite() && scale > 0.0
}
