//! How far beyond thresholds the accumulators of a run are, as a proof declares it: a number for each node that requantizes.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::Thresholds;
use super::steps::Steps;
use crate::graph::{Epilogue, Graph, TensorKind};
#[cfg(feature = "prover")]
use crate::interpret::Trace;
use crate::threads;

/// What a proof declares of the reach of accumulators is not what a proof of the graph can.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReachError {
    /// Not one for each node that requantizes.
    #[error("{got} reaches are declared, and {expected} nodes requantize")]
    Count {
        /// Nodes that requantize.
        expected: usize,
        /// Reaches declared.
        got: usize,
    },
    /// More than any accumulator needs.
    #[error("node {node} declares a reach of {got}, and its accumulators need {most} at most")]
    TooLarge {
        /// The node.
        node: usize,
        /// What the accumulator farthest from the thresholds needs.
        most: u32,
        /// What is declared.
        got: u32,
    },
}

/// The step functions of all nodes of a graph that requantize.
pub(crate) struct Requantized {
    /// With the node's number, in the graph's order.
    nodes: Vec<(usize, Arc<Steps>)>,
}

/// The reach of each of them, and what follows.
pub(crate) struct Declared {
    /// In the graph's order.
    #[cfg(feature = "prover")]
    pub(crate) reaches: Vec<u8>,
    /// By node.
    thresholds: BTreeMap<usize, Arc<Thresholds>>,
}

impl Requantized {
    /// Those of a valid graph.
    pub(crate) fn new(graph: &Graph) -> Self {
        let steps = |(index, node): (usize, &crate::graph::Node)| {
            let epilogue = node.op.epilogue()?;
            let is_code = graph.tensors.get(node.op.output())?.kind == TensorKind::Code;
            let requantizes = matches!(epilogue, Epilogue::Requantize(_) | Epilogue::Edges(_));
            let steps = || Steps::new(epilogue, graph.accumulator_bound(index));
            (is_code && requantizes).then(|| (index, Arc::new(steps())))
        };
        let nodes = threads::map(graph.nodes.iter().enumerate().collect(), steps);
        Self { nodes: nodes.into_iter().flatten().collect() }
    }

    /// The largest reaches, with which every run can be proved.
    pub(crate) fn largest(&self) -> Declared {
        self.with(self.nodes.iter().map(|(_, steps)| steps.most_reach() as u8).collect())
    }

    /// The least reaches, of runs whose accumulators lie beyond no threshold.
    #[cfg(feature = "prover")]
    pub(crate) fn least(&self) -> Declared {
        self.with(vec![0; self.nodes.len()])
    }

    /// The least with which a run can be proved.
    #[cfg(feature = "prover")]
    pub(crate) fn of_run(&self, graph: &Graph, trace: &Trace) -> Declared {
        let of_node = |(node, steps): &(usize, Arc<Steps>)| {
            let y = graph.nodes[*node].op.output();
            let rows = trace.tensors[y].len() / graph.tensors[y].features;
            steps.reach_of(&trace.accumulators[*node], rows) as u8
        };
        self.with(self.nodes.iter().map(of_node).collect())
    }

    /// Those that a proof declares.
    ///
    /// # Errors
    /// [`ReachError`] where no proof of the graph declares them.
    pub(crate) fn declared(&self, reaches: &[u8]) -> Result<Declared, ReachError> {
        let (expected, got) = (self.nodes.len(), reaches.len());
        if got != expected {
            return Err(ReachError::Count { expected, got });
        }
        for ((node, steps), &got) in self.nodes.iter().zip(reaches) {
            let (most, got) = (steps.most_reach(), u32::from(got));
            if got > most {
                return Err(ReachError::TooLarge { node: *node, most, got });
            }
        }
        Ok(self.with(reaches.to_vec()))
    }

    fn with(&self, reaches: Vec<u8>) -> Declared {
        let thresholds = self.nodes.iter().zip(&reaches).map(|((node, steps), &reach)| {
            (*node, Arc::new(Thresholds::new(steps.clone(), reach.into())))
        });
        Declared {
            thresholds: thresholds.collect(),
            #[cfg(feature = "prover")]
            reaches,
        }
    }
}

impl Declared {
    /// The thresholds of a node, if it requantizes.
    pub(crate) fn thresholds(&self, node: usize) -> Option<&Arc<Thresholds>> {
        self.thresholds.get(&node)
    }
}
