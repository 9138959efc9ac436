//! Public maps by which a matrix is read from a tensor: windows, strides, transposes, slices, broadcasts.

/// One dimension of a gathered matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GatherDim {
    /// Its length.
    pub size: usize,
    /// The axis of the source along which it moves, if it moves at all.
    pub axis: Option<usize>,
    /// Elements of that axis by which it moves, at most `2^31` either way.
    pub step: i64,
}

/// A map from the positions of a `rows x cols` matrix to the elements of one sample of a tensor.
///
/// The source's features are numbered by the axes `cols`, its rows by the axes `rows`, the last axis of
/// each fastest; axes are numbered `cols` first. The matrix's rows and columns are numbered by dimensions of
/// their own, the last fastest. Position `(i, j)` reads the element whose coordinate on axis `a` is
/// `offsets[a]` plus `step` times the index of each dimension that moves along `a`; outside the source it
/// reads `pad`. Samples are mapped one by one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Gather {
    /// Lengths of the axes that number the source's features.
    pub source_cols: Vec<usize>,
    /// Lengths of the axes that number a sample's rows of the source.
    pub source_rows: Vec<usize>,
    /// Where each axis starts, at most `2^31` from its origin: features' axes, then rows' axes.
    pub offsets: Vec<i64>,
    /// The dimensions that number a sample's rows of the matrix.
    pub rows: Vec<GatherDim>,
    /// The dimensions that number the columns of the matrix.
    pub cols: Vec<GatherDim>,
    /// The code that positions outside the source have; `None` if they contribute nothing.
    pub pad: Option<u8>,
}

impl Gather {
    /// The identity on a sample of `rows` rows and `cols` features.
    pub(crate) fn straight(rows: usize, cols: usize) -> Self {
        let dim = |size, axis| vec![GatherDim { size, axis: Some(axis), step: 1 }];
        Self {
            source_cols: vec![cols],
            source_rows: vec![rows],
            offsets: vec![0, 0],
            rows: dim(rows, 1),
            cols: dim(cols, 0),
            pad: None,
        }
    }

    /// Rows of the matrix for each sample.
    pub fn n_rows(&self) -> usize {
        self.rows.iter().map(|dim| dim.size).product()
    }

    /// Columns of the matrix.
    pub fn n_cols(&self) -> usize {
        self.cols.iter().map(|dim| dim.size).product()
    }

    /// Rows that a sample of the source has.
    pub fn n_source_rows(&self) -> usize {
        self.source_rows.iter().product()
    }

    /// Features that the source has.
    pub fn n_source_cols(&self) -> usize {
        self.source_cols.iter().product()
    }

    /// Axes, offsets and dimensions in all.
    pub(super) fn fields(&self) -> usize {
        let Self { source_cols, source_rows, offsets, rows, cols, .. } = self;
        [source_cols.len(), source_rows.len(), offsets.len(), rows.len(), cols.len()].iter().sum()
    }

    /// The dimensions of columns as those of outputs and those of the last `taps` columns of each, one dimension
    /// cut in two if need be; `None` where no cut does that.
    pub(crate) fn split_taps(&self, taps: usize) -> Option<(Vec<GatherDim>, Vec<GatherDim>)> {
        let (mut outputs, mut last, mut left) = (self.cols.clone(), Vec::new(), taps);
        while left > 1 {
            let dim = outputs.pop()?;
            if dim.size > 0 && left.is_multiple_of(dim.size) {
                left /= dim.size;
                last.insert(0, dim);
            } else if dim.size.is_multiple_of(left) {
                let step = dim.step.saturating_mul(left as i64);
                outputs.push(GatherDim { size: dim.size / left, step, ..dim });
                last.insert(0, GatherDim { size: left, ..dim });
                left = 1;
            } else {
                return None;
            }
        }
        Some((outputs, last))
    }

    /// Whether it reads all of a sample as it is, or, `across`, with rows and features in each other's place.
    pub(crate) fn is_whole(&self, across: bool) -> bool {
        let n_cols = self.source_cols.len();
        // The axes, but for those of one element, in the order in which dimensions have to move along them.
        let axes = |sizes: &[usize], first: usize| -> Vec<(usize, usize)> {
            let numbered = sizes.iter().enumerate().map(|(at, &size)| (size, first + at));
            numbered.filter(|&(size, _)| size > 1).collect()
        };
        let moves = |dims: &[GatherDim], axes: &[(usize, usize)]| {
            let mut dims = dims.iter().filter(|dim| dim.size > 1);
            let along = |&(size, axis): &(usize, usize)| {
                dims.next() == Some(&GatherDim { size, axis: Some(axis), step: 1 })
            };
            axes.iter().all(along) && dims.next().is_none()
        };
        let (features, rows) = (axes(&self.source_cols, 0), axes(&self.source_rows, n_cols));
        let (of_rows, of_cols) = if across { (&features, &rows) } else { (&rows, &features) };
        self.offsets.iter().all(|&offset| offset == 0)
            && moves(&self.rows, of_rows)
            && moves(&self.cols, of_cols)
    }

    /// The element `(row, feature)` of a sample that position `(row, col)` reads, `None` outside the source.
    pub fn source(&self, row: usize, col: usize) -> Option<(usize, usize)> {
        let mut at = self.offsets.clone();
        for (dims, index) in [(&self.rows, row), (&self.cols, col)] {
            let mut index = index;
            for dim in dims.iter().rev() {
                let digit = (index % dim.size) as i64;
                index /= dim.size;
                if let Some(coordinate) = dim.axis.and_then(|axis| at.get_mut(axis)) {
                    *coordinate = coordinate.saturating_add(dim.step.saturating_mul(digit));
                }
            }
        }
        let (cols, rows) = at.split_at_checked(self.source_cols.len())?;
        Some((number(rows, &self.source_rows)?, number(cols, &self.source_cols)?))
    }
}

/// The number of a point of a box, the last coordinate fastest; `None` outside.
fn number(point: &[i64], sizes: &[usize]) -> Option<usize> {
    point.iter().zip(sizes).try_fold(0usize, |number, (&x, &size)| {
        let x = usize::try_from(x).ok().filter(|&x| x < size)?;
        number.checked_mul(size)?.checked_add(x)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 3 x 3 window over two channels of 4 x 5, padded by one, rows two apart.
    fn window() -> Gather {
        let dim = |size, axis, step| GatherDim { size, axis: Some(axis), step };
        Gather {
            source_cols: vec![2],
            source_rows: vec![4, 5],
            offsets: vec![0, -1, -1],
            rows: vec![dim(2, 1, 2), dim(5, 2, 1)],
            cols: vec![dim(2, 0, 1), dim(3, 1, 1), dim(3, 2, 1)],
            pad: Some(7),
        }
    }

    #[test]
    fn a_window_reads_its_neighbours() {
        let map = window();
        assert_eq!((map.n_rows(), map.n_cols()), (10, 18));
        assert_eq!((map.n_source_rows(), map.n_source_cols()), (20, 2));
        for row in 0..10 {
            for col in 0..18 {
                let (h, w) = (
                    2 * (row / 5) as i64 + (col / 3 % 3) as i64 - 1,
                    (row % 5 + col % 3) as i64 - 1,
                );
                let inside = (0..4).contains(&h) && (0..5).contains(&w);
                let expected = inside.then(|| ((h * 5 + w) as usize, col / 9));
                assert_eq!(map.source(row, col), expected, "{row} {col}");
            }
        }
    }

    #[test]
    fn taps_are_the_last_columns() {
        let sizes =
            |dims: &[GatherDim]| -> Vec<usize> { dims.iter().map(|dim| dim.size).collect() };
        for (taps, expected) in [
            (1, Some((vec![2, 3, 6], vec![]))),
            (6, Some((vec![2, 3], vec![6]))),
            (3, Some((vec![2, 3, 2], vec![3]))),
            (18, Some((vec![2], vec![3, 6]))),
            (36, Some((vec![], vec![2, 3, 6]))),
            (4, None),
            (12, None),
            (72, None),
        ] {
            let mut map = window();
            map.cols[2].size = 6;
            let split = map.split_taps(taps);
            let of_split = split.as_ref().map(|(outputs, last)| (sizes(outputs), sizes(last)));
            assert_eq!(of_split, expected, "{taps}");
            let Some((outputs, last)) = split else { continue };
            // It is the same map.
            let other = Gather { cols: [outputs, last].concat(), ..map.clone() };
            for col in 0..map.n_cols() {
                assert_eq!(map.source(3, col), other.source(3, col), "{taps} {col}");
            }
        }
    }

    #[test]
    fn whole_samples_are_read_along_or_across() {
        let dim = |size, axis| GatherDim { size, axis: Some(axis), step: 1 };
        let (features, rows) = (vec![dim(3, 0), dim(1, 1)], vec![dim(2, 2), dim(4, 4)]);
        let along = Gather {
            source_cols: vec![3, 1],
            source_rows: vec![2, 1, 4],
            offsets: vec![0; 5],
            rows: rows.clone(),
            cols: features.clone(),
            pad: None,
        };
        let across = Gather { rows: features, cols: rows, ..along.clone() };
        assert_eq!([true, false].map(|way| along.is_whole(way)), [false, true]);
        assert_eq!([true, false].map(|way| across.is_whole(way)), [true, false]);
        for row in 0..8 {
            for col in 0..3 {
                assert_eq!(along.source(row, col), Some((row, col)));
                assert_eq!(across.source(col, row), Some((row, col)));
            }
        }
        type Change = fn(&mut Gather);
        let changes: [Change; 5] = [
            |map| map.offsets[4] = 1,
            |map| map.rows[1].step = -1,
            |map| map.rows.swap(0, 1),
            |map| map.cols[0].size = 2,
            |map| map.cols[0].axis = None,
        ];
        for change in changes {
            let mut other = along.clone();
            change(&mut other);
            assert!(!other.is_whole(false));
        }
    }

    #[test]
    fn extreme_steps_read_outside() {
        let mut map = window();
        map.rows[0].step = i64::MAX;
        map.offsets[1] = i64::MAX;
        assert_eq!(map.source(9, 17), None);
    }
}
