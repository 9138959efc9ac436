//! The windows of convolutions and pools: kernels, strides, dilations and pads of a node.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::view::{View, Window};
use crate::graph::{GatherDim, MAX_ELEMENTS};

/// Attributes of a node with windows, besides its own.
pub(super) const ATTRIBUTES: [&str; 5] =
    ["auto_pad", "dilations", "kernel_shape", "pads", "strides"];

/// Windows along the dimensions after the first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pool {
    pub(super) windows: Vec<Window>,
    /// Positions of some window lie outside.
    pub(super) beyond: bool,
    /// The last windows reach beyond the pads, as `ceil_mode` allows.
    pub(super) beyond_pads: bool,
}

/// The `count` sizes of attribute `attribute`, at least `least` each.
pub(super) fn named(
    node: &NodeView<'_>,
    attribute: &'static str,
    default: Option<&[usize]>,
    count: usize,
    least: usize,
) -> Result<Vec<usize>, NodeError> {
    let Some(values) = node.ints(attribute)? else {
        let missing = NodeError::MissingAttribute { attribute };
        return Ok(default.ok_or(missing)?.to_vec());
    };
    let range = least..=MAX_ELEMENTS;
    let wrong = |value: i64| NodeError::AttributeValue { attribute, value: value as f64 };
    if values.len() != count {
        return Err(wrong(values.len() as i64));
    }
    let value = |&value: &i64| {
        let size = usize::try_from(value).ok().filter(|size| range.contains(size));
        size.ok_or(wrong(value))
    };
    values.iter().map(value).collect()
}

/// A view seen through windows.
pub(super) struct Seen {
    pub(super) view: View,
    /// What moves with the windows' positions.
    pub(super) rows: Vec<GatherDim>,
    /// What moves within a window.
    pub(super) taps: Vec<GatherDim>,
}

impl Pool {
    /// The windows of `node` along dimensions of sizes `sizes`; `kernel` if the operator knows it.
    pub(super) fn of(
        node: &NodeView<'_>,
        sizes: &[usize],
        kernel: Option<&[usize]>,
    ) -> Result<Self, NodeError> {
        let named = |attribute, default: Option<&[usize]>, count, least| {
            named(node, attribute, default, count, least)
        };
        let n = sizes.len();
        let ones = vec![1; n];
        let kernels = named("kernel_shape", kernel, n, 1)?;
        if let Some(of_weights) = kernel.filter(|of_weights| *of_weights != kernels) {
            let [expected, got] = [of_weights, &kernels].map(|sizes| sizes.iter().product());
            return Err(NodeError::OperandShape { index: 1, expected, got });
        }
        let strides = named("strides", Some(&ones), n, 1)?;
        let dilations = named("dilations", Some(&ones), n, 1)?;
        let pads = named("pads", Some(&vec![0; 2 * n]), 2 * n, 0)?;
        let auto_pad = node.text("auto_pad")?.unwrap_or("NOTSET");
        let ceil = node.int_among("ceil_mode", &[0, 1])? == 1;
        let mut pool = Self { windows: Vec::new(), beyond: false, beyond_pads: false };
        for (dim, &size) in sizes.iter().enumerate() {
            let (kernel, stride, dilation) = (kernels[dim], strides[dim], dilations[dim]);
            let reach = (kernel - 1) * dilation + 1;
            let (pad, after) = match auto_pad {
                "" | "NOTSET" => (pads[dim], pads[n + dim]),
                "VALID" => (0, 0),
                "SAME_UPPER" | "SAME_LOWER" => {
                    let total = ((size.div_ceil(stride) - 1) * stride + reach).saturating_sub(size);
                    let half = total / 2;
                    if auto_pad == "SAME_UPPER" {
                        (half, total - half)
                    } else {
                        (total - half, half)
                    }
                }
                other => {
                    return Err(NodeError::AttributeText {
                        attribute: "auto_pad",
                        value: other.to_owned(),
                    });
                }
            };
            let padded = size + pad + after;
            let room = padded.checked_sub(reach).ok_or(NodeError::OperandShape {
                index: 0,
                expected: reach,
                got: padded,
            })?;
            let mut out = room / stride + 1;
            // A window that would begin behind the elements is none.
            if ceil && !room.is_multiple_of(stride) && out * stride < size + pad {
                out += 1;
            }
            let last = (out - 1) * stride + reach;
            pool.beyond |= pad > 0 || last > size + pad;
            pool.beyond_pads |= last > padded;
            pool.windows.push(Window { out, stride, kernel, dilation, pad });
        }
        let product = |size: fn(&Window) -> usize| {
            let sizes = pool.windows.iter().map(size);
            sizes.fold(1usize, usize::saturating_mul)
        };
        for got in [product(|window| window.out), product(|window| window.kernel)] {
            if got > MAX_ELEMENTS {
                return Err(NodeError::OperandShape { index: 0, expected: MAX_ELEMENTS, got });
            }
        }
        Ok(pool)
    }

    /// One window over all of dimensions of sizes `sizes`.
    pub(super) fn global(sizes: &[usize]) -> Self {
        let window = |&kernel| Window { out: 1, stride: 1, kernel, dilation: 1, pad: 0 };
        Self { windows: sizes.iter().map(window).collect(), beyond: false, beyond_pads: false }
    }

    /// Elements of a window.
    pub(super) fn taps(&self) -> usize {
        self.windows.iter().map(|window| window.kernel).product()
    }

    /// `first`, then the number of positions along each dimension.
    pub(super) fn shape(&self, first: usize) -> Vec<usize> {
        let outs = self.windows.iter().map(|window| window.out);
        std::iter::once(first).chain(outs).collect()
    }

    /// The last dimensions of `view` through the windows, of a copy if need be.
    pub(super) fn see(
        &self,
        builder: &mut Builder,
        name: &str,
        view: &View,
    ) -> Result<Seen, NodeError> {
        let seen = match self.through(view.clone()) {
            Some(seen) => Some(seen),
            None => self.through(builder.copied(name, view)?),
        };
        seen.ok_or(NodeError::NoView { index: 0 })
    }

    pub(super) fn through(&self, mut view: View) -> Option<Seen> {
        let first = view.rank().checked_sub(self.windows.len())?;
        let (mut rows, mut taps) = (Vec::new(), Vec::new());
        for (dim, window) in self.windows.iter().enumerate() {
            let (row, tap) = view.window(first + dim, window)?;
            rows.push(row);
            taps.push(tap);
        }
        Some(Seen { view, rows, taps })
    }

    /// The largest code in each window of each of the first dimension's elements.
    pub(super) fn max(
        &self,
        builder: &mut Builder,
        name: &str,
        view: &View,
    ) -> Result<View, NodeError> {
        let seen = self.see(builder, name, view)?;
        let channels = view.size(0);
        let matrix = seen.matrix(Some(0));
        let tensor = builder.max(name, channels, &matrix)?;
        Ok(self.output(channels).on(tensor))
    }

    /// How a tensor of `channels` features and the windows' positions as rows is seen.
    pub(super) fn output(&self, channels: usize) -> View {
        View::new(0, &self.shape(channels), |dim| dim == 0)
    }
}

impl Seen {
    /// Rows are the windows' positions, columns the first dimension and the windows' elements.
    pub(super) fn matrix(self, pad: Option<u8>) -> Matrix {
        let cols = [self.view.digits(0), self.taps].concat();
        Matrix { rows: self.rows, cols, view: self.view, pad }
    }
}
