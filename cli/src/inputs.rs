//! The arrays that `--input` names: in the model's order, or each by its name.

use std::fs;
use std::path::{Path, PathBuf};

use binfer_ml_ops::array::Array;
use binfer_ml_ops::graph::{Graph, InputError};

use crate::failure::Failure;
use crate::files;

/// A model's inputs and their files, in the model's order.
pub(crate) struct Inputs {
    paths: Vec<PathBuf>,
    pub(crate) arrays: Vec<Array>,
}

impl Inputs {
    /// The arrays of `named`: files in the order of the graph's inputs, or `NAME=FILE` for each in any order.
    pub(crate) fn read(graph: &Graph, named: &[PathBuf]) -> Result<Self, Failure> {
        let paths = in_order(&graph.input_names, graph.inputs().count(), named)?;
        let arrays = files::read_arrays(&paths)?;
        Ok(Self { paths, arrays })
    }

    /// The samples of the batch, each a batch of one.
    pub(crate) fn samples(&self) -> Result<Vec<Vec<Array>>, Failure> {
        let mut samples: Vec<Vec<Array>> = Vec::new();
        for (number, (path, batch)) in self.paths.iter().zip(&self.arrays).enumerate() {
            let of_input = samples_of(batch);
            if number == 0 {
                samples.resize(of_input.len(), Vec::new());
            }
            let (expected, got) = (samples.len(), of_input.len());
            if expected != got {
                let reason = format!("{expected} samples are expected, {got} are there");
                return Err(Failure::malformed(path, reason));
            }
            samples.iter_mut().zip(of_input).for_each(|(sample, array)| sample.push(array));
        }
        Ok(samples)
    }

    /// The failure that arrays ended in that are not the model's inputs.
    pub(crate) fn failure(&self, error: InputError) -> Failure {
        match error {
            InputError::Count { expected, got } => Failure::Inputs { expected, got },
            InputError::Port { input, error } if let Some(path) = self.paths.get(input) => {
                Failure::malformed(path, error)
            }
            error => Failure::malformed(&crate::run::listed(&self.paths), error),
        }
    }
}

/// Words behind the name of a network that are the names of no input.
const NO_INPUTS: [&str; 3] = ["test", "labels", "expected"];

/// The inputs that lie beside a network: `NAME.npy`, or of several `NAME.INPUT.npy` as `INPUT=FILE`, in the order of their
/// names. `NAME` is that of `file` without its ending.
pub(crate) fn beside(file: &Path) -> Vec<PathBuf> {
    let one = file.with_extension("npy");
    if one.is_file() {
        return vec![one];
    }
    let several = named(&one).unwrap_or_default();
    if several.is_empty() { vec![one] } else { several }
}

/// The files `NAME.INPUT.npy` beside `NAME.npy`, as `INPUT=FILE`.
fn named(one: &Path) -> Option<Vec<PathBuf>> {
    let name = one.file_stem()?.to_str()?;
    let folder = one.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?.flatten();
    let input = |path: PathBuf| {
        let file = path.file_name()?.to_str()?;
        let input = file.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".npy")?;
        let first = input.split('.').next()?;
        (!NO_INPUTS.contains(&first)).then(|| format!("{input}={}", path.display()).into())
    };
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| input(entry.path())).collect();
    found.sort();
    Some(found)
}

/// The samples of an array, each a batch of one.
fn samples_of(batch: &Array) -> Vec<Array> {
    let Some((&n, rest)) = batch.shape().split_first() else { return vec![batch.clone()] };
    let size = batch.data().len().checked_div(n).unwrap_or(0);
    let shape = [&[1], rest].concat();
    let sample = |i: usize| {
        let data = batch.data().part(i * size..(i + 1) * size);
        // The length is the product.
        Array::new(shape.clone(), data).unwrap_or_else(|e| unreachable!("{e}"))
    };
    (0..n).map(sample).collect()
}

/// The files of `named` in the order of `names`, of which there may be none.
fn in_order(names: &[String], expected: usize, named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let got = named.len();
    if expected != got {
        return Err(Failure::Inputs { expected, got });
    }
    let by_name = |path: &PathBuf| {
        let (name, file) = path.to_str()?.split_once('=')?;
        let number = names.iter().position(|of| of == name)?;
        Some((number, PathBuf::from(file)))
    };
    let mut found: Vec<_> = named.iter().filter_map(by_name).collect();
    if found.is_empty() {
        // An only input has no name in a graph: whatever it is called, it is that one.
        return match named {
            [only] if names.is_empty() && !only.exists() => Ok(vec![without_name(only)]),
            _ => Ok(named.to_vec()),
        };
    }
    found.sort();
    let each = found.iter().map(|&(number, _)| number).eq(0..expected);
    if !each {
        return Err(Failure::InputNames { names: names.join(", ") });
    }
    Ok(found.into_iter().map(|(_, file)| file).collect())
}

/// `FILE` of `NAME=FILE`, or the path itself.
fn without_name(path: &Path) -> PathBuf {
    let named = path.to_str().and_then(|path| path.split_once('='));
    named.map_or(path.to_owned(), |(_, file)| file.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use binfer_ml_ops::array::ArrayData;

    #[test]
    fn a_batch_is_cut_into_samples() {
        let batch = |n: i8, k: usize| {
            let data = ArrayData::I8((1..=n * k as i8).collect());
            Array::new(vec![n as usize, k], data).unwrap()
        };
        let inputs = |arrays: Vec<Array>| {
            let paths = arrays.iter().map(|_| "x.npy".into()).collect();
            Inputs { paths, arrays }.samples()
        };
        let samples = inputs(vec![batch(2, 3), batch(2, 1)]).unwrap();
        assert_eq!(samples.len(), 2);
        assert_eq!(samples[1][0].shape(), [1, 3]);
        assert_eq!(*samples[1][0].data(), ArrayData::I8(vec![4, 5, 6]));
        assert_eq!(*samples[1][1].data(), ArrayData::I8(vec![2]));
        let other = inputs(vec![batch(2, 3), batch(3, 1)]).unwrap_err().to_string();
        assert_eq!(other, "x.npy: 2 samples are expected, 3 are there");
    }

    #[test]
    fn files_beside_a_network_are_its_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str| fs::write(at(name), []).unwrap();
        for name in ["a.mask.npy", "a.ids.npy", "a.test.ids.npy", "a.labels.npy", "b.ids.npy"] {
            write(name);
        }
        let named =
            |input: &str, file: &str| PathBuf::from(format!("{input}={}", at(file).display()));
        let expected = [named("ids", "a.ids.npy"), named("mask", "a.mask.npy")];
        assert_eq!(beside(&at("a.onnx")), expected);
        assert_eq!(beside(&at("a.test.onnx")), [named("ids", "a.test.ids.npy")]);
        // One alone; and of a network without any what is missing is named.
        assert_eq!(beside(&at("c.onnx")), [at("c.npy")]);
        write("a.npy");
        assert_eq!(beside(&at("a.onnx")), [at("a.npy")]);
    }

    #[test]
    fn files_are_named_or_in_order() {
        let names = ["ids".to_owned(), "mask".to_owned()];
        let found = |named: &[&str]| {
            let named: Vec<PathBuf> = named.iter().map(PathBuf::from).collect();
            in_order(&names, 2, &named).map_err(|e| e.to_string())
        };
        let files = |named: [&str; 2]| Ok(named.map(PathBuf::from).to_vec());
        assert_eq!(found(&["a", "b"]), files(["a", "b"]));
        assert_eq!(found(&["mask=a=1", "ids=b"]), files(["b", "a=1"]));
        // What is no name is a part of a path.
        assert_eq!(found(&["a=1", "b=2"]), files(["a=1", "b=2"]));
        for wrong in [&["ids=a", "b"], &["ids=a", "ids=b"], &["ids=a", "types=b"]] {
            assert_eq!(
                found(wrong),
                Err(Failure::InputNames { names: "ids, mask".into() }.to_string())
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let only = folder.path().join("x=1.npy");
        let one = |path: &Path| in_order(&[], 1, &[path.to_owned()]).map_err(|e| e.to_string());
        assert_eq!(one(Path::new("ids=a")), Ok(vec![PathBuf::from("a")]));
        assert_eq!(one(Path::new("a")), Ok(vec![PathBuf::from("a")]));
        fs::write(&only, []).unwrap();
        assert_eq!(one(&only), Ok(vec![only]));
        let count = Failure::Inputs { expected: 2, got: 1 }.to_string();
        assert_eq!(found(&["ids=a"]), Err(count));
    }
}
