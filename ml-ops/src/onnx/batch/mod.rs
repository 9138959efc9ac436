//! The batch that a file leaves open: where it stands in each value, so that nothing mixes its samples.
//!
//! The importer reads each sample by itself. That is what the runtime computes of many where every node treats the first dimension of
//! the inputs, wherever it has gone, as one of samples: an element with the others of its own sample, at each index alike. Each
//! operator has a rule that says where samples are numbered after it, and refuses what makes something else of that dimension (a sum
//! or a largest along it, a product's depth, a second appearance that it is broadcast against, a part of it). An operator without
//! a rule is refused. Where the runtime itself takes one sample alone (a target shape for one, say), nothing more is asked.

mod axes;
mod counts;
mod fixed;
mod moved;
mod place;
mod products;
mod rules;
mod samples;

pub(super) use samples::Samples;
