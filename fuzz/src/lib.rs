//! Where inputs come from: a network of the repository, and good bytes of which some are changed.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// A network of the repository.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// A perceptron with weights of three values.
    Perceptron,
    /// Convolutions, sums of tensors, maxima and averages.
    Convolutional,
    /// Two inputs, which one network reads.
    Siamese,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Perceptron, Self::Convolutional, Self::Siamese];

    /// The model's file.
    pub fn onnx(self) -> &'static [u8] {
        match self {
            Self::Perceptron => include_bytes!("../../models/digits/digits_ternary.onnx"),
            Self::Convolutional => include_bytes!("../../models/cnn/cnn.onnx"),
            Self::Siamese => {
                include_bytes!("../../ml-ops/tests/fixtures/several_inputs/siamese.onnx")
            }
        }
    }
}

/// How a target's input comes from good bytes.
#[derive(Arbitrary, Debug)]
pub enum Patch {
    /// Nothing of them is used.
    Other(Vec<u8>),
    /// Some are overwritten, each run at a place of its own.
    Overwrite(Vec<(u32, Vec<u8>)>),
    /// Some in the middle are replaced by others of another length.
    Splice {
        /// Where they start.
        at: u32,
        /// How many go.
        removed: u16,
        /// What comes instead.
        data: Vec<u8>,
    },
}

impl Patch {
    /// The input that comes from `good`, which is not empty.
    pub fn apply(self, good: &[u8]) -> Vec<u8> {
        let place = |at: u32| at as usize % good.len();
        match self {
            Self::Other(bytes) => bytes,
            Self::Overwrite(runs) => {
                let mut bytes = good.to_vec();
                for (at, data) in runs {
                    let tail = &mut bytes[place(at)..];
                    tail.iter_mut().zip(data).for_each(|(old, new)| *old = new);
                }
                bytes
            }
            Self::Splice { at, removed, data } => {
                let start = place(at);
                let end = good.len().min(start + usize::from(removed));
                [&good[..start], &data, &good[end..]].concat()
            }
        }
    }
}
