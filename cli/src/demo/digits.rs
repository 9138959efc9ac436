//! The digits model and its held-out images, as they ship with the repository.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;

use crate::failure::Failure;
use crate::npy;

const MODEL: &[u8] = include_bytes!("../../../models/digits/digits.onnx");
const IMAGES: &[u8] = include_bytes!("../../../models/digits/images.npy");
const LABELS: &[u8] = include_bytes!("../../../models/digits/labels.npy");

/// Pixels of an image, 8 rows of 8.
pub(super) const PIXELS: usize = 64;

/// What ships.
pub(super) struct Digits {
    /// The model.
    pub(super) model: Model,
    /// All held-out images, pixels from 0 to 16.
    pub(super) images: Vec<f32>,
    /// What the images show.
    pub(super) labels: Vec<u8>,
}

impl Digits {
    /// Decodes what the binary holds.
    pub(super) fn load() -> Result<Self, Failure> {
        let malformed =
            |name: &str, e: Box<dyn std::error::Error>| Failure::malformed(name.as_ref(), e);
        let model = Model::from_onnx(MODEL).map_err(|e| malformed("digits.onnx", e.into()))?;
        let parse = |name, bytes| npy::parse(bytes).map_err(|e| malformed(name, e.into()));
        let images = parse("images.npy", IMAGES)?.into_parts().1;
        let labels = parse("labels.npy", LABELS)?.into_parts().1;
        match (images, labels) {
            (ArrayData::F32(images), ArrayData::U8(labels))
                if images.len() == labels.len() * PIXELS =>
            {
                Ok(Self { model, images, labels })
            }
            _ => Err(malformed("images.npy", "not the images of the labels".into())),
        }
    }

    /// The first `n` images as an input.
    pub(super) fn batch(&self, n: usize) -> Array {
        let data = ArrayData::F32(self.images[..n * PIXELS].to_vec());
        Array::new(vec![n, PIXELS], data).unwrap_or_else(|e| unreachable!("{e}"))
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
