//! The rows of a tensor, along its last dimension or of groups of channels: matrices of all elements, and of one number for each row.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::view::View;
use crate::graph::{Edges, Epilogue, Function, MAX_NAME_BYTES, TensorId, TensorKind, signed_bits};

/// A tensor as rows along its last dimensions.
#[derive(Debug)]
pub(super) struct Rowwise {
    /// Name of the node in the file.
    name: String,
    view: View,
    features: Vec<bool>,
    /// Dimensions that a row has, the last of which is of features.
    inner: usize,
}

/// What is added up over some matrix.
pub(super) type Summand = (Matrix, Function);

impl Rowwise {
    /// The rows of `view`. Precondition: it has a dimension.
    pub(super) fn new(name: &str, view: &View) -> Self {
        let last = view.rank() - 1;
        let is_feature = |dim| dim == last || !view.is_open() && view.is_feature(dim);
        let features = (0..=last).map(is_feature).collect();
        Self { name: name.to_owned(), view: view.clone(), features, inner: 1 }
    }

    /// The rows of `view`, whose dimensions are groups, places and channels of a group: all of a group.
    pub(super) fn of_groups(name: &str, view: &View) -> Self {
        let features = vec![true, false, true];
        Self { name: name.to_owned(), view: view.clone(), features, inner: 2 }
    }

    /// The name of the node in the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The same rows of another tensor, seen as `view`.
    pub(super) fn of(&self, view: &View) -> Self {
        match self.is_of_groups() {
            true => Self::of_groups(&self.name, view),
            false => Self::new(&self.name, view),
        }
    }

    /// Whether rows are groups of channels.
    pub(super) fn is_of_groups(&self) -> bool {
        self.inner == 2
    }

    /// Dimensions before those of a row.
    fn outer(&self) -> usize {
        self.view.rank() - self.inner
    }

    /// Elements of a row.
    pub(super) fn length(&self) -> usize {
        (self.outer()..self.view.rank()).map(|dim| self.view.size(dim)).product()
    }

    /// Whether a sample has one row.
    pub(super) fn is_one(&self) -> bool {
        self.view.elements() == self.length()
    }

    /// The tensor.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// Rows that are numbered by columns.
    pub(super) fn columns(&self) -> usize {
        let dims = (0..self.outer()).filter(|&dim| self.features[dim]);
        dims.map(|dim| self.view.size(dim)).product()
    }

    /// Columns of a tensor of as many elements.
    pub(super) fn width(&self) -> usize {
        self.columns() * self.view.size(self.view.rank() - 1)
    }

    /// The same rows of a tensor that can be read straight.
    pub(super) fn straight(&self, builder: &mut Builder) -> Result<Self, NodeError> {
        let name = self.part("rows");
        let is_feature = |dim: usize| self.features[dim];
        let view = builder.straight(&name, &self.view, is_feature)?;
        let (name, features) = (self.name.clone(), self.features.clone());
        Ok(Self { name, view, features, inner: self.inner })
    }

    /// All elements, those of a row side by side.
    pub(super) fn taps(&self) -> Matrix {
        let first = self.outer();
        Matrix::laid_out(&self.view, |dim| dim >= first || self.features[dim])
    }

    /// All elements.
    pub(super) fn elements(&self) -> Matrix {
        Matrix::laid_out(&self.view, |dim| self.features[dim])
    }

    /// How a tensor of as many elements is seen.
    pub(super) fn output(&self) -> View {
        View::new(0, &self.view.shape(), |dim| self.features[dim])
    }

    /// All elements of such a tensor, those of a row side by side.
    pub(super) fn of_taps(&self, tensor: TensorId) -> Matrix {
        let first = self.outer();
        let view = self.output().on(tensor);
        Matrix::laid_out(&view, |dim| dim >= first || self.features[dim])
    }

    /// All elements of such a tensor.
    pub(super) fn elements_of(&self, tensor: TensorId) -> Matrix {
        Matrix::laid_out(&self.output().on(tensor), |dim| self.features[dim])
    }

    /// A tensor of one number for each row.
    pub(super) fn rows_of(&self, tensor: TensorId) -> Matrix {
        self.read_rows(&self.view_of_rows(tensor))
    }

    /// One number for each row, seen as `view`.
    pub(super) fn read_rows(&self, view: &View) -> Matrix {
        Matrix::laid_out(view, |dim| self.features[dim])
    }

    /// A tensor of `edges.len()` codes for each row: steps of the negated number of the row in `tensor`.
    pub(super) fn parts(
        &self,
        builder: &mut Builder,
        part: &str,
        tensor: TensorId,
        edges: Vec<Edges>,
    ) -> Result<TensorId, NodeError> {
        let (last, parts) = (self.view.rank() - 1, edges.len());
        let terms = vec![(
            self.read_rows(&self.view_of_rows(tensor).repeated(last, parts)),
            Function::Times(-1),
        )];
        let columns = self.columns() * parts;
        let edges = edges.iter().cycle().take(columns).cloned().collect();
        let epilogue = Epilogue::Edges(edges);
        builder.combine(&self.part(part), columns, terms, TensorKind::Code, epilogue)
    }

    /// The code `part` of such a tensor of `parts` for each row.
    pub(super) fn part_of(
        &self,
        tensor: TensorId,
        parts: usize,
        part: usize,
    ) -> Result<Matrix, NodeError> {
        let (mut shape, last) = (self.view_of_rows(tensor).shape(), self.view.rank() - 1);
        shape[last] = parts;
        let view = View::new(tensor, &shape, |dim| self.features[dim]);
        let view = view.sliced(last, part, 1, 1).ok_or(NodeError::NoView { index: 0 })?;
        Ok(self.read_rows(&view))
    }

    /// Such a tensor with the number of its row for each element.
    pub(super) fn broadcast(&self, tensor: TensorId) -> Matrix {
        self.repeated(&self.view_of_rows(tensor))
    }

    /// How a tensor of one number for each row is seen.
    pub(super) fn view_of_rows(&self, tensor: TensorId) -> View {
        let (mut shape, outer) = (self.view.shape(), self.outer());
        shape.iter_mut().skip(outer).for_each(|size| *size = 1);
        View::new(tensor, &shape, |dim| self.features[dim])
    }

    /// All elements of a tensor seen as `view`, whose dimensions are this one's or 1.
    pub(super) fn repeated(&self, view: &View) -> Matrix {
        let shape = self.view.shape();
        let sizes = shape.iter().enumerate();
        let stretched = sizes.filter(|&(dim, _)| view.size(dim) == 1);
        let view = stretched.fold(view.clone(), |view, (dim, &size)| view.repeated(dim, size));
        Matrix::laid_out(&view, |dim| self.features[dim])
    }

    /// The largest of these codes in each row.
    pub(super) fn maximum(
        &self,
        builder: &mut Builder,
        elements: Matrix,
    ) -> Result<TensorId, NodeError> {
        self.maximum_of(builder, "max", elements)
    }

    /// The same, in a node of another name.
    pub(super) fn maximum_of(
        &self,
        builder: &mut Builder,
        part: &str,
        elements: Matrix,
    ) -> Result<TensorId, NodeError> {
        let elements = Matrix { pad: Some(0), ..elements };
        builder.max(&self.part(part), self.columns(), &elements)
    }

    /// A number of at most `bound` in size for each row.
    pub(super) fn row_integers(
        &self,
        builder: &mut Builder,
        part: &str,
        terms: Vec<Summand>,
        bound: i64,
    ) -> Result<TensorId, NodeError> {
        let kind = TensorKind::Integer { bits: signed_bits(bound) };
        builder.combine(&self.part(part), self.columns(), terms, kind, Epilogue::Accumulator)
    }

    /// A code for each row.
    pub(super) fn row_codes(
        &self,
        builder: &mut Builder,
        part: &str,
        terms: Vec<Summand>,
        edges: Edges,
    ) -> Result<TensorId, NodeError> {
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.part(part), self.columns(), terms, TensorKind::Code, epilogue)
    }

    /// A code for each element: `edges` are one for all, or those of each element of a row, or of each column.
    pub(super) fn codes(
        &self,
        builder: &mut Builder,
        part: &str,
        terms: Vec<Summand>,
        edges: Vec<Edges>,
    ) -> Result<TensorId, NodeError> {
        let columns = self.width();
        let edges = match edges.len() {
            1 => edges,
            n => edges.iter().cycle().take(columns / n * n).cloned().collect(),
        };
        let epilogue = Epilogue::Edges(edges);
        builder.combine(&self.part(part), columns, terms, TensorKind::Code, epilogue)
    }

    /// The name of one of the nodes that the file's node becomes.
    pub(super) fn part(&self, part: &str) -> String {
        self::part(&self.name, part)
    }
}

/// The name of one of the nodes that the file's node `name` becomes.
pub(super) fn part(name: &str, part: &str) -> String {
    let room = MAX_NAME_BYTES.saturating_sub(part.len() + 1);
    format!("{}/{part}", &name[..name.floor_char_boundary(room)])
}
