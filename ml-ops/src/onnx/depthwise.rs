//! Convolutions of single channels, each of which has a scale and a zero point of its own.

use super::arithmetic::Operation;
use super::builder::Builder;
use super::concatenated;
use super::constants;
use super::convolved::Geometry;
use super::deferred::{After, Deferred, Kind, Product};
use super::error::NodeError;
use super::factors::{self, Activation};
use super::node::NodeView;
use super::operands::{Layout, of_column};
use super::rowwise::part;
use super::value::{Value, Weights};
use super::view::View;
use std::rc::Rc;

/// An image's codes, and the scale and the code of zero of each channel.
pub(super) struct ByChannel {
    view: View,
    channels: Vec<(f32, u8)>,
}

/// Operand 0, if it is dequantized with a scale for each channel.
pub(super) fn by_channel(node: &NodeView<'_>) -> Result<Option<ByChannel>, NodeError> {
    let Value::Deferred(floats) = node.value(0)? else { return Ok(None) };
    let Kind::Each(each) = &floats.kind else { return Ok(None) };
    let is_plain = floats.is_unbounded() && floats.after.is_empty() && floats.view == each.output();
    let of_channels = each.channels().filter(|_| is_plain);
    Ok(of_channels.map(|(view, channels)| ByChannel { view: view.clone(), channels }))
}

/// The convolution of an image by kernels of one channel each: of integers, at a scale for each output.
pub(super) fn import(
    builder: &mut Builder,
    node: &NodeView<'_>,
    ByChannel { view, channels }: ByChannel,
) -> Result<Value, NodeError> {
    let expected = "a tensor of one scale, or one whose channels are convolved each for itself";
    let dequantized = "constant weights that are dequantized";
    if !matches!(node.value(1)?, Value::Dequantized(_)) {
        return Err(NodeError::Operand { index: 1, expected: dequantized });
    }
    let of_codes = Activation::of_codes(view.clone());
    let constants = factors::of_values(node, &of_codes, Layout::Kernels, node.value(1)?, None)?;
    let mut geometry = Geometry::of(node, &view, &constants.shape, 1)?;
    if geometry.groups != channels.len() {
        return Err(NodeError::Operand { index: 0, expected });
    }
    let weights = constants.weights;
    let of_each = weights.n / geometry.groups;
    let channel = |column: usize| channels[column / of_each];
    let scales =
        (0..weights.n).map(|column| channel(column).0 * of_column(&constants.scales, column));
    let scales: Vec<f32> = scales.collect();
    let one = channels.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let (view, zero_code, bias) = if one {
        (view, channels[0].1, vec![])
    } else {
        // The zeros are taken off the sums, and what is around the image is put there.
        let zeros: Vec<u8> = channels.iter().map(|&(_, zero)| zero).collect();
        let view = padded(builder, node, view, &zeros, &mut geometry)?;
        let zero = |column| i64::from(channel(column).1);
        let sums = sums(&weights).into_iter().enumerate();
        (view, 0, sums.map(|(column, sum)| -zero(column) * sum).collect())
    };
    let (matmul, output) = geometry.operands(builder, node, &view, zero_code, (weights, bias))?;
    let mut deferred = Deferred::new(Kind::Product(Rc::new(Product { matmul, scales })), output);
    if let Some(bias) = node.optional(2)? {
        let constant = constants::bias_in(bias, Layout::Kernels, deferred.view.size(0))?;
        deferred.after.push(After { operation: Operation::Add, constant, first: false });
    }
    Ok(Value::Deferred(deferred))
}

/// The sum of each column's weights.
fn sums(weights: &Weights) -> Vec<i64> {
    let mut sums = vec![0; weights.n];
    for row in weights.codes.chunks(weights.n) {
        for (column, (sum, &code)) in sums.iter_mut().zip(row).enumerate() {
            *sum += i64::from(code) + i64::from(of_column(&weights.offsets, column));
        }
    }
    sums
}

/// The image with each channel's code of zero around it, as far as the windows reach, which then reach no farther.
fn padded(
    builder: &mut Builder,
    node: &NodeView<'_>,
    mut view: View,
    zeros: &[u8],
    geometry: &mut Geometry,
) -> Result<View, NodeError> {
    let identity: [u8; 256] = std::array::from_fn(|code| code as u8);
    let pool = &mut geometry.pool;
    for (at, window) in pool.windows.iter_mut().enumerate() {
        let dim = at + 1;
        let last = (window.out - 1) * window.stride + (window.kernel - 1) * window.dilation + 1;
        let after = last.saturating_sub(view.size(dim) + window.pad);
        let mut strip = |part_name: &str, size: usize| {
            let mut shape = view.shape();
            shape[dim] = size;
            let of_channel: usize = shape[1..].iter().product();
            let codes: Vec<u8> =
                zeros.iter().flat_map(|&zero| std::iter::repeat_n(zero, of_channel)).collect();
            let flat = View::new(0, &shape, |dim| dim == 0);
            let name = part(node.name, &format!("{part_name}{dim}"));
            (size > 0).then(|| (builder.constant(&name, &flat, &shape, &codes), identity))
        };
        let (before, after) = (strip("before", window.pad), strip("after", after));
        let parts: Vec<_> =
            [before, Some((view.clone(), identity)), after].into_iter().flatten().collect();
        if parts.len() > 1 {
            let name = part(node.name, &format!("padded{dim}"));
            view = concatenated::view(builder, &name, &parts, dim)?;
        }
        window.pad = 0;
    }
    pool.beyond = false;
    Ok(view)
}
