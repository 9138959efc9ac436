//! The networks that read digits and the held-out images, as they ship with the repository.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;

use crate::failure::Failure;
use crate::npy;

const PERCEPTRON: &[u8] = include_bytes!("../../../models/digits/digits.onnx");
const CONVOLUTIONAL: &[u8] = include_bytes!("../../../models/cnn/cnn.onnx");
const IMAGES: &[u8] = include_bytes!("../../../models/digits/images.npy");
const LABELS: &[u8] = include_bytes!("../../../models/digits/labels.npy");

/// Pixels of an image, 8 rows of 8.
pub(super) const PIXELS: usize = 64;

/// A network that ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// A perceptron of two layers
    Digits,
    /// A residual network of convolutions, maxima and averages
    Cnn,
}

impl Network {
    /// The file's name and its bytes.
    fn file(self) -> (&'static str, &'static [u8]) {
        match self {
            Self::Digits => ("digits.onnx", PERCEPTRON),
            Self::Cnn => ("cnn.onnx", CONVOLUTIONAL),
        }
    }

    /// What it is.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Digits => "perceptron",
            Self::Cnn => "convolutional network",
        }
    }
}

/// What ships.
pub(super) struct Digits {
    /// Which network it is.
    pub(super) network: Network,
    /// The model.
    pub(super) model: Model,
    /// All held-out images, pixels from 0 to 16.
    pub(super) images: Vec<f32>,
    /// What the images show.
    pub(super) labels: Vec<u8>,
}

impl Digits {
    /// Decodes what the binary holds.
    pub(super) fn load(network: Network) -> Result<Self, Failure> {
        let malformed =
            |name: &str, e: Box<dyn std::error::Error>| Failure::malformed(name.as_ref(), e);
        let (name, bytes) = network.file();
        let model = Model::from_onnx(bytes).map_err(|e| malformed(name, e.into()))?;
        let parse = |name, bytes| npy::parse(bytes).map_err(|e| malformed(name, e.into()));
        let images = parse("images.npy", IMAGES)?.into_parts().1;
        let labels = parse("labels.npy", LABELS)?.into_parts().1;
        match (images, labels) {
            (ArrayData::F32(images), ArrayData::U8(labels))
                if images.len() == labels.len() * PIXELS
                    && model.graph.input_shape().per_sample() == PIXELS =>
            {
                Ok(Self { network, model, images, labels })
            }
            _ => Err(malformed("images.npy", "not the images of the labels".into())),
        }
    }

    /// The first `n` images as an input.
    pub(super) fn batch(&self, n: usize) -> Array {
        let data = ArrayData::F32(self.images[..n * PIXELS].to_vec());
        let shape = [&[n], &self.model.graph.input.shape[..]].concat();
        Array::new(shape, data).unwrap_or_else(|e| unreachable!("{e}"))
    }
}

/// The class of each row of ten logits: the first of the largest.
pub(super) fn classes(output: &Array) -> Vec<u8> {
    let ArrayData::F32(logits) = output.data() else {
        return Vec::new();
    };
    let largest = |row: &[f32]| {
        (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u8
    };
    logits.chunks_exact(10).map(largest).collect()
}
