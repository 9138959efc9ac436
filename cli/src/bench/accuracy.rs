//! A network on a test set: how often it is right, and how near to what was expected.

use std::path::{Path, PathBuf};

use binfer_ml_ops::graph::Model;
use binfer_ml_ops::run;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;
use crate::inputs::{self, Inputs};
use crate::quantize::choices;

/// The files of a test set.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct TestSet {
    /// Samples to run as well, of whose outputs the accuracy is reported; of several inputs each, in their order or as
    /// NAME=FILE
    #[arg(long, value_name = "T.npy")]
    pub test: Vec<PathBuf>,
    /// The class of each of them, or of each row of outputs: the number of the largest output
    #[arg(long, value_name = "L.npy", requires = "test")]
    pub labels: Option<PathBuf>,
    /// The outputs that another program gives for them, of this network or of the floats that it stands for
    #[arg(long, value_name = "Y.npy", requires = "test")]
    pub expected: Option<PathBuf>,
}

/// What a network makes of a test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Samples.
    pub samples: u64,
    /// Rows of outputs whose label is the number of the first of the largest, and labels, if there are any.
    pub right: Option<(u64, u64)>,
    /// How outputs compare with others, if there are any.
    pub expected: Option<Agreement>,
}

/// Outputs beside those of another program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Outputs that are equal.
    pub equal: u64,
    /// All outputs.
    pub outputs: u64,
    /// The least cosine of the outputs of a sample with those that were expected.
    pub least_cosine: f64,
}

impl TestSet {
    /// The files that lie beside a network `NAME.onnx`: `NAME.test.npy`, or `NAME.test.INPUT.npy` for each of several inputs,
    /// and of `NAME.labels.npy` and `NAME.expected.npy` those that exist.
    pub(super) fn beside(file: &Path) -> Self {
        let existing = |part| Some(file.with_extension(part)).filter(|path| path.is_file());
        let test = inputs::beside(&file.with_extension("test.npy"));
        // What names an input is no path.
        match &test[..] {
            [one] if *one == file.with_extension("test.npy") && !one.is_file() => Self::default(),
            _ => Self { test, labels: existing("labels.npy"), expected: existing("expected.npy") },
        }
    }

    /// The files with the options that name them.
    pub(super) fn options(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let test = self.test.iter().map(|file| ("--test", file));
        let labels = self.labels.iter().map(|file| ("--labels", file));
        let expected = self.expected.iter().map(|file| ("--expected", file));
        test.chain(labels).chain(expected).map(|(option, file)| (option, file.as_path()))
    }

    /// Runs the samples, one after the other, and compares the first output; `None` if there are none.
    ///
    /// # Errors
    /// [`Failure`] where a file cannot be read, is malformed, or does not fit the others.
    pub(super) fn accuracy(&self, model: &Model) -> Result<Option<Accuracy>, Failure> {
        if self.test.is_empty() {
            return Ok(None);
        }
        let samples = Inputs::read(&model.graph, &self.test)?.samples()?;
        let (mut outputs, mut classes) = (Vec::with_capacity(samples.len()), 1);
        for sample in &samples {
            let output = run(model, sample).map_err(Failure::Statement)?;
            classes = output.shape().last().copied().unwrap_or(1).max(1);
            outputs.push(output.data().floats());
        }
        let all: usize = outputs.iter().map(Vec::len).sum();
        let read = |path: &PathBuf, expected: usize| {
            let floats = files::read_array(path)?.data().floats();
            let got = floats.len();
            let reason = || format!("{expected} elements are expected, {got} are there");
            if got == expected { Ok(floats) } else { Err(Failure::malformed(path, reason())) }
        };
        let labels = self.labels.as_ref().map(|path| read(path, all / classes)).transpose()?;
        let expected = self.expected.as_ref().map(|path| read(path, all)).transpose()?;
        Ok(Some(Accuracy {
            samples: samples.len() as u64,
            right: labels.map(|labels| {
                let chosen = outputs.iter().flat_map(|output| choices(output, classes));
                let right = chosen.zip(&labels).filter(|(class, label)| *class as f64 == **label);
                (right.count() as u64, labels.len() as u64)
            }),
            expected: expected.map(|expected| Agreement::new(&outputs, &expected)),
        }))
    }
}

impl Accuracy {
    /// In words.
    pub(super) fn words(&self) -> String {
        let mut words = format!("{} samples", self.samples);
        if let Some((right, labels)) = self.right {
            words += &format!(", {right} of {labels} labels right");
        }
        if let Some(Agreement { equal, outputs, least_cosine }) = self.expected {
            words += &format!(
                ", {equal} of {outputs} outputs as expected, of a sample cosine {least_cosine:.3} at least"
            );
        }
        words
    }
}

impl Agreement {
    /// Of the outputs of each sample with those of all. Precondition: there are as many.
    fn new(outputs: &[Vec<f64>], expected: &[f64]) -> Self {
        let (mut equal, mut least_cosine, mut rest) = (0, 1.0f64, expected);
        for output in outputs {
            let (of_sample, after) = rest.split_at(output.len());
            rest = after;
            equal += output.iter().zip(of_sample).filter(|(a, b)| a == b).count() as u64;
            if output[..] != *of_sample {
                least_cosine = least_cosine.min(cosine(output, of_sample));
            }
        }
        Self { equal, outputs: expected.len() as u64, least_cosine }
    }
}

/// The cosine of two vectors, 0 if one is zero.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let sizes = (product(a, a) * product(b, b)).sqrt();
    if sizes > 0.0 { product(a, b) / sizes } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_by_output_and_by_sample() {
        let outputs = [vec![3.0, 4.0], vec![0.0, 2.0]];
        let same = Agreement::new(&outputs, &[3.0, 4.0, 0.0, 2.0]);
        assert_eq!(same, Agreement { equal: 4, outputs: 4, least_cosine: 1.0 });
        let other = Agreement::new(&outputs, &[4.0, 3.0, 0.0, 1.0]);
        assert_eq!((other.equal, other.outputs), (1, 4));
        assert!((other.least_cosine - 0.96).abs() < 1e-12, "{other:?}");
    }

    #[test]
    fn of_equal_outputs_the_first_is_the_class() {
        assert_eq!(choices(&[1.0, 5.0, 5.0], 3), [1]);
        assert_eq!(choices(&[-2.0, -3.0], 2), [0]);
    }
}
