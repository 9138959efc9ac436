//! A product of two factors: the sumcheck of `sum_x eq(z, x) (a(x) b(x) + c)`, two rounds a pass; `c` is one on a level
//! of a product tree.

use binfer_field::F128;
use binfer_field::kernels::Corner;

use super::columns::Columns;
use super::halves::Halves;
use super::quad::{Grid, fold_weights, line, parabola};
use super::sparse::SparseColumns;
use crate::buffer::Buffer;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Factors `a` and `b` in the middle of their sumcheck.
///
/// The first round of a pass computes the grid of both rounds' polynomials; the challenges of both
/// are bound by the pass that follows.
pub(crate) struct PairProduct<'a> {
    /// eq's point in the order in which variables are bound.
    z: Vec<F128>,
    bound: usize,
    factored: EqFactored,
    /// What is added to the product.
    constant: F128,
    /// The product at the two values of the first variable, where they are known.
    known: Option<[F128; 2]>,
    state: State<'a>,
    grid: Grid,
    /// The values at `(0, 0)` and `(1, 0)`, where they are wanted.
    corners: [F128; 2],
    /// The challenge of the first round of two.
    first: Option<F128>,
    /// Challenges to bind.
    pending: Option<[F128; 3]>,
}

/// How the factors lie in memory.
pub(super) enum State<'a> {
    Columns(Columns<'a>),
    Sparse(SparseColumns),
    Halves(Halves),
    Made(Box<dyn Factors<'a> + 'a>),
}

/// Factors over a hypercube that are made twice: for the grid of the first two variables, and with these bound.
pub(crate) trait Factors<'a>: Send + Sync {
    /// The grid of the first two variables.
    fn grid(&self, corner: Corner) -> Grid;

    /// Binds both variables, `weights` those of `(1, 0)`, `(0, 1)` and `(1, 1)`.
    fn fold(&self, weights: [F128; 3]) -> Folded<'a>;
}

/// Factors of which two variables are bound.
pub(crate) enum Folded<'a> {
    /// `a` and then `b`.
    Elements(Buffer),
    Made(Box<dyn Factors<'a> + 'a>),
}

impl State<'_> {
    fn grid(&self, corner: Corner) -> Grid {
        match self {
            Self::Columns(columns) => columns.grid(corner),
            Self::Sparse(columns) => columns.grid(corner),
            Self::Halves(halves) => halves.grid(corner),
            Self::Made(factors) => factors.grid(corner),
        }
    }

    /// The sum of the weights of the positions that are computed: outside, `a b + 1` is zero.
    fn weight(&self) -> F128 {
        match self {
            Self::Columns(columns) => columns.weight(),
            Self::Sparse(columns) => columns.weight(),
            Self::Halves(_) | Self::Made(_) => F128::ONE,
        }
    }
}

impl<'a> PairProduct<'a> {
    /// The sumcheck of a claim that the product is `value` at `z`.
    pub(super) fn new(
        z: Vec<F128>,
        value: F128,
        known: Option<[F128; 2]>,
        state: State<'a>,
    ) -> Self {
        let factored = EqFactored::new(value + F128::ONE, z.iter());
        Self { known, constant: F128::ONE, ..Self::begin(z, factored, state) }
    }

    /// The sumcheck of a product to which nothing is added, `known` at the two values of the first variable. Precondition: at
    /// least two variables for each time that the factors are made.
    pub(crate) fn of_factors(
        z: Vec<F128>,
        known: [F128; 2],
        factors: Box<dyn Factors<'a> + 'a>,
    ) -> Self {
        debug_assert!(z.len() >= 2);
        let factored = EqFactored::new(line(known, z[0]), z.iter());
        Self { known: Some(known), ..Self::begin(z, factored, State::Made(factors)) }
    }

    fn begin(z: Vec<F128>, factored: EqFactored, state: State<'a>) -> Self {
        Self {
            z,
            bound: 0,
            factored,
            constant: F128::ZERO,
            known: None,
            state,
            grid: Grid::default(),
            corners: [F128::ZERO; 2],
            first: None,
            pending: None,
        }
    }

    /// The claim on what is left.
    pub(crate) fn claim(&self) -> F128 {
        self.factored.claim()
    }

    /// The factors' values at the bound point.
    pub(crate) fn values(&self) -> [F128; 2] {
        debug_assert_eq!(self.bound, self.z.len());
        match &self.state {
            State::Halves(halves) => halves.values(),
            _ => unreachable!("{ROWS_LAST}"),
        }
    }

    /// Binds the two challenges of the last pass.
    fn fold(&mut self) {
        let Some(weights) = self.pending.take() else {
            return;
        };
        match &mut self.state {
            State::Columns(columns) => {
                let z = &self.z[self.bound..];
                self.state = State::Halves(columns.fold_into_halves(weights, z));
            }
            State::Sparse(columns) => {
                let z = &self.z[self.bound..];
                self.state = State::Halves(columns.fold_into_halves(weights, z));
            }
            State::Halves(halves) => halves.fold(weights),
            State::Made(factors) => {
                self.state = match factors.fold(weights) {
                    Folded::Elements(data) => {
                        State::Halves(Halves::new(data, &self.z[self.bound..]))
                    }
                    Folded::Made(factors) => State::Made(factors),
                };
            }
        }
    }

    /// Makes the grid of the next two rounds.
    fn pass(&mut self) {
        let [z, next] = [self.z[self.bound], self.z[self.bound + 1]];
        // Where eq's coordinate is one, the claim does not give the cofactor's value at 0.
        let zero = next == F128::ONE || (z == F128::ONE && self.known.is_none());
        let one = zero || self.known.is_none();
        let corner = if one { Corner::One } else { Corner::Neither };
        self.grid = match (&mut self.state, self.pending) {
            (State::Columns(columns), Some(weights)) if columns.n_vars > 3 => {
                self.pending = None;
                columns.fold_and_grid(weights, corner)
            }
            (State::Sparse(columns), Some(weights)) if columns.n_vars > 3 => {
                self.pending = None;
                columns.fold(weights);
                columns.grid(corner)
            }
            _ => {
                self.fold();
                self.state.grid(corner)
            }
        };
        let at_zero = if zero { self.state.grid(Corner::Zero)[0] } else { F128::ZERO };
        self.corners = [at_zero, self.grid[0]];
    }

    /// The cofactor of the first round of a pass: its value at 1 and its leading coefficient, and its
    /// value at 0 where the claim does not give it.
    fn first_round(&self) -> (F128, F128, Option<F128>) {
        let (z, next) = (self.z[self.bound], self.z[self.bound + 1]);
        let [_, top, zero, one, top_of_one, ..] = self.grid;
        let weight = self.constant * self.state.weight();
        let leading = line([top, top_of_one], next);
        if let Some([at_zero, at_one]) = self.known {
            return (at_one + self.constant, leading, Some(at_zero + self.constant));
        }
        let at_zero = (z == F128::ONE).then(|| line([self.corners[0], zero], next) + weight);
        (line([self.corners[1], one], next) + weight, leading, at_zero)
    }

    /// That of the second round.
    fn second_round(&self, r: F128) -> (F128, F128, Option<F128>) {
        let [_, top, zero, one, top_of_one, grid @ ..] = self.grid;
        let weight = self.constant * self.state.weight();
        let parabola = |values| parabola(values, r);
        let at_zero = (self.z[self.bound] == F128::ONE)
            .then(|| parabola([self.corners[0], self.corners[1], top]) + weight);
        (parabola([zero, one, top_of_one]) + weight, parabola(grid), at_zero)
    }
}

/// The same for the last of an odd number of rounds.
fn last_round([[a0, a1], [b0, b1]]: [[F128; 2]; 2], constant: F128) -> (F128, F128, Option<F128>) {
    (a1 * b1 + constant, (a0 + a1) * (b0 + b1), Some(a0 * b0 + constant))
}

impl Instance for PairProduct<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.z.len(), degree: 3 }
    }

    fn round(&mut self) -> Vec<F128> {
        let (at_one, leading, at_zero) = match (self.first, self.z.len() - self.bound) {
            (Some(r), _) => self.second_round(r),
            (None, 1) => {
                self.fold();
                match &self.state {
                    State::Halves(halves) => last_round(halves.last_pair(), self.constant),
                    _ => unreachable!("{ROWS_LAST}"),
                }
            }
            _ => {
                self.pass();
                self.first_round()
            }
        };
        self.known = None;
        self.factored.round(self.z[self.bound], (at_one, &[leading]), at_zero)
    }

    fn bind(&mut self, r: F128) {
        self.factored.bind(Some(self.z[self.bound]), r);
        self.bound += 1;
        let done = self.bound == self.z.len();
        match (self.first.take(), &mut self.state) {
            (Some(first), _) => self.pending = Some(fold_weights(first, r)),
            (None, State::Halves(halves)) if done => halves.bind_last(r),
            (None, _) => self.first = Some(r),
        }
        if done {
            self.fold();
        }
    }
}

/// Columns are left before the rows are begun, which are more than one variable; what is made is bound once.
const ROWS_LAST: &str = "the last variables are bound as halves";
