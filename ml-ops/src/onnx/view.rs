//! A shaped view over a tensor: its dimensions move along the tensor's axes in fixed steps.
//!
//! Transposes, reshapes, slices and broadcasts change the view alone; whoever reads the tensor composes its
//! own windows with the view into one [`Matrix`](super::matrix::Matrix).

use crate::graph::{GatherDim, TensorId};

/// The elements of one sample of a tensor in a shape of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    pub(super) tensor: TensorId,
    pub(super) axes: Vec<Axis>,
    /// Each dimension of the shape as digits, the last fastest; none for a dimension of size 1.
    pub(super) dims: Vec<Vec<GatherDim>>,
}

/// An axis of the tensor. Axes of one side are numbered in order, the last fastest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) size: usize,
    pub(super) side: Side,
    pub(super) offset: i64,
}

/// What an axis numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Feature,
    Row,
    /// The tensor's elements, in order, are not grouped into rows yet.
    Open,
}

/// A window that moves along a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Positions of the window.
    pub(super) out: usize,
    /// Elements from a position to the next.
    pub(super) stride: usize,
    /// Elements that a window has.
    pub(super) kernel: usize,
    /// Elements from one of a window to the next.
    pub(super) dilation: usize,
    /// Elements by which the first window begins before the dimension.
    pub(super) pad: usize,
}

impl View {
    /// A tensor whose elements, in order, have the shape `shape`, and are not grouped into rows yet.
    pub(super) fn open(tensor: TensorId, shape: &[usize]) -> Self {
        Self::of(tensor, shape, |_| Side::Open)
    }

    /// A tensor of the shape `shape` whose dimensions number features or rows.
    pub(super) fn new(
        tensor: TensorId,
        shape: &[usize],
        is_feature: impl Fn(usize) -> bool,
    ) -> Self {
        Self::of(tensor, shape, |dim| if is_feature(dim) { Side::Feature } else { Side::Row })
    }

    fn of(tensor: TensorId, shape: &[usize], side: impl Fn(usize) -> Side) -> Self {
        let axes = shape.iter().enumerate();
        let axes = axes.map(|(dim, &size)| Axis { size, side: side(dim), offset: 0 }).collect();
        let whole = |(axis, &size): (usize, &usize)| match size {
            1 => vec![],
            _ => vec![GatherDim { size, axis: Some(axis), step: 1 }],
        };
        Self { tensor, axes, dims: shape.iter().enumerate().map(whole).collect() }
    }

    /// The same view of another tensor that is laid out alike.
    pub(super) fn on(&self, tensor: TensorId) -> Self {
        Self { tensor, ..self.clone() }
    }

    /// Size of dimension `dim`.
    pub(super) fn size(&self, dim: usize) -> usize {
        size_of(&self.dims[dim])
    }

    /// The shape of a sample.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.dims.iter().map(|digits| size_of(digits)).collect()
    }

    /// Number of dimensions.
    pub(super) fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Elements of a sample.
    pub(super) fn elements(&self) -> usize {
        self.dims.iter().map(|digits| size_of(digits)).product()
    }

    /// The digits of dimension `dim`.
    pub(super) fn digits(&self, dim: usize) -> Vec<GatherDim> {
        self.dims[dim].clone()
    }

    /// Whether dimension `dim` moves along features alone; of an open tensor, as the input of a network has
    /// it: the first of three or more dimensions, the last of fewer.
    pub(super) fn is_feature(&self, dim: usize) -> bool {
        if self.is_open() {
            return dim == if self.rank() > 2 { 0 } else { self.rank() - 1 };
        }
        let axes = self.dims[dim].iter().filter_map(|digit| digit.axis);
        let mut sides = axes.map(|axis| self.axes[axis].side).peekable();
        sides.peek().is_some() && sides.all(|side| side == Side::Feature)
    }

    /// Features of the tensor, if they are those of one dimension of the view, in order.
    pub(super) fn features(&self) -> Option<usize> {
        let axes = self.axes.iter().enumerate();
        let whole = axes.filter(|(_, axis)| axis.side == Side::Feature && axis.size > 1);
        let digit = |(axis, of): (usize, &Axis)| {
            let digit = GatherDim { size: of.size, axis: Some(axis), step: 1 };
            (of.offset == 0).then_some(digit)
        };
        let digits: Option<Vec<GatherDim>> = whole.map(digit).collect();
        let digits = digits?;
        let is_one = digits.is_empty() || self.dims.iter().any(|dim| merged(dim) == digits);
        is_one.then(|| size_of(&digits))
    }

    /// For each feature of the tensor the index along dimension `dim` at which it is; `None` if that is no part of the feature's number.
    pub(super) fn indices_of_features(&self, dim: usize) -> Option<Vec<usize>> {
        let (mut of_axes, mut n) = (Vec::new(), 1);
        for (axis, of) in self.axes.iter().enumerate().filter(|(_, of)| of.side == Side::Feature) {
            let of_axis = |digit: &&GatherDim| digit.axis == Some(axis) && digit.size > 1;
            let mut digits: Vec<&GatherDim> = self.dims.iter().flatten().filter(of_axis).collect();
            digits.sort_by_key(|digit| digit.step);
            // They number the whole axis, each once.
            let mut step = 1;
            for digit in digits {
                if digit.step != step {
                    return None;
                }
                step *= digit.size as i64;
            }
            if of.offset != 0 || step != of.size as i64 {
                return None;
            }
            of_axes.push((axis, of.size));
            n *= of.size;
        }
        let place = |digit: &GatherDim, feature: usize| {
            let mut rest = feature;
            let sizes = of_axes.iter().rev();
            let at = sizes.map(|&(axis, size)| (axis, rest % size, rest /= size));
            let found = at.into_iter().find(|(axis, ..)| digit.axis == Some(*axis));
            found.map(|(_, at, ())| at / digit.step as usize % digit.size)
        };
        let digits: Vec<&GatherDim> = self.dims.get(dim)?.iter().filter(|of| of.size > 1).collect();
        let index = |feature: usize| {
            digits
                .iter()
                .try_fold(0, |index, digit| Some(index * digit.size + place(digit, feature)?))
        };
        (0..n).map(index).collect()
    }

    /// Elements that the leading digits of the dimensions from `first` on number, as far as these move along features; of an open
    /// tensor, its first digit if dimension `first` has several.
    pub(super) fn leading_features(&self, first: usize) -> usize {
        if self.is_open() {
            let digits = self.dims.get(first).map(|dim| merged(dim));
            return digits.filter(|digits| digits.len() > 1).map_or(1, |digits| digits[0].size);
        }
        let digits = self.dims.iter().skip(first).flatten();
        let is_feature = |digit: &&GatherDim| {
            digit.axis.is_some_and(|axis| self.axes[axis].side == Side::Feature)
        };
        digits.take_while(is_feature).map(|digit| digit.size).product()
    }

    /// Whether the tensor's elements are not grouped into rows yet.
    pub(super) fn is_open(&self) -> bool {
        self.axes.iter().any(|axis| axis.side == Side::Open)
    }

    /// Dimension `dim` of the result is dimension `order[dim]`.
    pub(super) fn transposed(&self, order: &[usize]) -> Self {
        let dims = order.iter().map(|&dim| self.dims[dim].clone()).collect();
        Self { dims, ..self.clone() }
    }

    /// A dimension of size 1 before dimension `dim`.
    pub(super) fn unsqueezed(mut self, dim: usize) -> Self {
        self.dims.insert(dim, vec![]);
        self
    }

    /// Without dimension `dim`, of size 1.
    pub(super) fn squeezed(mut self, dim: usize) -> Self {
        self.dims.remove(dim);
        self
    }

    /// Dimension `dim`, of size 1, repeated.
    pub(super) fn repeated(mut self, dim: usize, size: usize) -> Self {
        if size > 1 {
            self.dims[dim] = vec![GatherDim { size, axis: None, step: 0 }];
        }
        self
    }

    /// The indices `start + step * i` of dimension `dim`; `None` where that is no view.
    /// Precondition: they are within the dimension.
    pub(super) fn sliced(
        mut self,
        dim: usize,
        start: usize,
        step: i64,
        size: usize,
    ) -> Option<Self> {
        let digits = merged(&self.dims[dim]);
        if start == 0 && step == 1 && size == size_of(&digits) {
            return Some(self);
        }
        if size == 1 {
            // One index: each digit is fixed.
            let mut index = start;
            for digit in digits.iter().rev() {
                self.shift(*digit, index % digit.size);
                index /= digit.size;
            }
            self.dims[dim].clear();
            return Some(self);
        }
        let (first, inner) = digits.split_first()?;
        let within = size_of(inner);
        let whole = inner.is_empty()
            || start.is_multiple_of(within) && size.is_multiple_of(within) && step == 1;
        if !whole {
            return None;
        }
        self.shift(*first, start / within);
        let first = GatherDim { size: size / within, step: first.step * step, ..*first };
        self.dims[dim] = [&[first], inner].concat();
        Some(self)
    }

    fn shift(&mut self, digit: GatherDim, by: usize) {
        if let Some(axis) = digit.axis {
            self.axes[axis].offset += digit.step * by as i64;
        }
    }

    /// The elements in order in the shape `shape`; `None` where that is no view.
    /// Precondition: the shape has as many elements.
    pub(super) fn reshaped(&self, shape: &[usize]) -> Option<Self> {
        let mut view = self.clone();
        let mut digits: Vec<GatherDim> = self.dims.concat();
        let mut dims = Vec::with_capacity(shape.len());
        // From the last dimension on, digits are taken whole or cut in two.
        let mut end = digits.len();
        for &size in shape.iter().rev() {
            let (mut begin, mut rest) = (end, size);
            while rest > 1 {
                begin = begin.checked_sub(1)?;
                let digit = digits[begin];
                if rest.is_multiple_of(digit.size) {
                    rest /= digit.size;
                } else if digit.size.is_multiple_of(rest) {
                    view.cut(&mut digits, begin, rest);
                    (begin, rest, end) = (begin + 1, 1, end + 1);
                } else {
                    return None;
                }
            }
            dims.push(end - begin);
            end = begin;
        }
        let mut rest = digits.as_slice();
        let split = dims.iter().rev().map(|&n| {
            let (dim, after) = rest.split_at(n);
            rest = after;
            dim.to_vec()
        });
        view.dims = split.collect();
        Some(view)
    }

    /// Cuts digit `at` in two, the inner one of size `inner`, and its axis with it if that is possible.
    fn cut(&mut self, digits: &mut Vec<GatherDim>, at: usize, inner: usize) {
        let digit = digits[at];
        let outer = digit.size / inner;
        let mut parts = [
            GatherDim { size: outer, axis: digit.axis, step: digit.step * inner as i64 },
            GatherDim { size: inner, ..digit },
        ];
        if let Some(axis) = digit.axis {
            let whole = Axis { size: digit.size, offset: 0, ..self.axes[axis] } == self.axes[axis];
            let alone = digits.iter().filter(|other| other.axis == Some(axis)).count() == 1;
            if whole && alone && digit.step == 1 {
                let side = self.axes[axis].side;
                self.axes[axis].size = outer;
                self.axes.insert(axis + 1, Axis { size: inner, side, offset: 0 });
                for other in digits.iter_mut().filter_map(|other| other.axis.as_mut()) {
                    *other += usize::from(*other > axis);
                }
                parts[0].step = 1;
                parts[1].axis = Some(axis + 1);
            }
        }
        digits.splice(at..=at, parts);
    }

    /// Dimension `dim` as part of a longer one of `size` elements, from `start` on; positions before and after are
    /// outside. `None` where they are not outside the tensor.
    pub(super) fn placed(mut self, dim: usize, start: usize, size: usize) -> Option<Self> {
        let window = Window { out: size, stride: 1, kernel: 1, dilation: 1, pad: start };
        let (positions, _) = self.window(dim, &window)?;
        self.dims[dim] = if size > 1 { vec![positions] } else { vec![] };
        Some(self)
    }

    /// The digits of a window along dimension `dim`: of its positions, and of its elements. `None` where the
    /// window reads beyond the dimension but not beyond the tensor.
    pub(super) fn window(&mut self, dim: usize, window: &Window) -> Option<(GatherDim, GatherDim)> {
        let size = self.size(dim);
        let beyond = window.pad > 0
            || (window.out - 1) * window.stride + (window.kernel - 1) * window.dilation >= size;
        let digit = match merged(&self.dims[dim])[..] {
            [] => {
                let side = if self.is_open() { Side::Open } else { Side::Row };
                self.axes.push(Axis { size: 1, side, offset: 0 });
                GatherDim { size: 1, axis: Some(self.axes.len() - 1), step: 1 }
            }
            [digit] => digit,
            _ => return None,
        };
        self.dims[dim] = vec![digit];
        let alone =
            |axis| self.dims.iter().flatten().filter(|other| other.axis == Some(axis)).count() == 1;
        if beyond {
            let axis = digit.axis.filter(|&axis| alone(axis))?;
            let Axis { size: length, offset, .. } = self.axes[axis];
            let outside = |index: i64| !(0..length as i64).contains(&(offset + digit.step * index));
            if !(outside(-1) && outside(size as i64)) {
                return None;
            }
        }
        if let Some(axis) = digit.axis {
            self.axes[axis].offset -= digit.step * window.pad as i64;
        }
        let along = |size, step: usize| GatherDim { size, step: digit.step * step as i64, ..digit };
        Some((along(window.out, window.stride), along(window.kernel, window.dilation)))
    }
}

/// Numbers that digits spell.
pub(super) fn size_of(digits: &[GatherDim]) -> usize {
    digits.iter().map(|digit| digit.size).product()
}

/// The digits without those of size 1, neighbours that move as one digit joined.
pub(super) fn merged(digits: &[GatherDim]) -> Vec<GatherDim> {
    let mut joined: Vec<GatherDim> = Vec::with_capacity(digits.len());
    for &digit in digits.iter().filter(|digit| digit.size > 1) {
        match joined.last_mut() {
            Some(outer)
                if outer.axis == digit.axis && outer.step == digit.step * digit.size as i64 =>
            {
                *outer = GatherDim { size: outer.size * digit.size, ..digit };
            }
            _ => joined.push(digit),
        }
    }
    joined
}
