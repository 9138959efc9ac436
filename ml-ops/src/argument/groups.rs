//! Groups of relations that are proved together, one group after another.
//!
//! A group's forests, table steps and one-hot stages are one batch each, and its claims on planes are at
//! one point of its own. The prover holds the trees of one group at a time.

use core::ops::Range;
use std::collections::BTreeSet;

use binfer_iop::indexed::onehot::{OneHotClaim, View};

use super::plan::{Chunk, Factor, MatMul, Plan, Sum};

/// How many leaves of product trees are proved at once, as a logarithm.
///
/// Smaller groups take less memory and longer proofs. It is part of a proof's statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupSize(u32);

impl Default for GroupSize {
    /// Groups of `2^24` leaves.
    fn default() -> Self {
        Self(24)
    }
}

impl GroupSize {
    /// The smallest: groups of one relation.
    pub const MIN: Self = Self(0);
    /// The largest: groups without bound.
    pub const MAX: Self = Self(63);

    /// Groups of at most `2^log_leaves` leaves, a larger relation being a group of its own; `None` above
    /// [`Self::MAX`].
    pub fn new(log_leaves: u32) -> Option<Self> {
        (log_leaves <= Self::MAX.0).then_some(Self(log_leaves))
    }

    /// The logarithm.
    pub fn log_leaves(self) -> u32 {
        self.0
    }

    /// Leaves, with their factors, of a group that holds more than one relation, at most.
    fn most(self) -> usize {
        1usize.checked_shl(self.0).unwrap_or(usize::MAX)
    }
}

/// Consecutive checks of a plan's relations.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    /// The plan's number of each check's matmul; repetitions of one may be in several groups.
    pub(crate) matmuls: Vec<usize>,
    /// The plan's number of each check's sum, likewise.
    pub(crate) sums: Vec<usize>,
}

/// What a group's one-hot stages are about, numbered within the group.
pub(crate) struct GroupViews {
    /// The plan's numbers of the group's views, in increasing order.
    pub(crate) views: Vec<usize>,
    /// The plan's numbers of the planes of these views, in increasing order.
    pub(crate) planes: Vec<usize>,
    /// The views by the group's numbers of planes.
    pub(crate) local: Vec<View>,
    /// The shapes of the planes.
    pub(crate) shapes: Vec<(usize, usize)>,
}

/// The groups of a plan, in order: matmuls first, then sums, each as often as its check is repeated. A
/// group takes in checks as long as it stays within the size, but at least one.
pub(crate) fn groups(plan: &Plan, size: GroupSize) -> Vec<Group> {
    let mut checks = Vec::new();
    let mut leaves = Vec::new();
    for (i, matmul) in plan.matmuls.iter().enumerate() {
        checks.extend(core::iter::repeat_n(Check::MatMul(i), matmul.output.repetitions));
        leaves.resize(checks.len(), check_leaves(matmul.factors()));
    }
    for (i, sum) in plan.sums.iter().enumerate() {
        let factors = sum.factors().map(|factor| (sum.output.products, factor));
        checks.extend(core::iter::repeat_n(Check::Sum(i), sum.output.repetitions));
        leaves.resize(checks.len(), check_leaves(factors));
    }
    let group = |run: Range<usize>| {
        let mut group = Group { matmuls: Vec::new(), sums: Vec::new() };
        for check in checks.iter().take(run.end).skip(run.start) {
            match check {
                Check::MatMul(i) => group.matmuls.push(*i),
                Check::Sum(i) => group.sums.push(*i),
            }
        }
        group
    };
    runs(leaves.into_iter(), size.most()).into_iter().map(group).collect()
}

/// One check, by the plan's number of what it is of.
#[derive(Clone, Copy)]
enum Check {
    MatMul(usize),
    Sum(usize),
}

/// Cuts a list into runs whose sums are at most `most` where they have more than one item.
fn runs(items: impl Iterator<Item = usize>, most: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut sum = 0usize;
    for (i, item) in items.enumerate() {
        sum = sum.saturating_add(item);
        match runs.last_mut() {
            Some(run) if sum <= most => run.end = i.saturating_add(1),
            _ => {
                sum = item;
                runs.push(i..i.saturating_add(1));
            }
        }
    }
    runs
}

/// Leaves of the trees of one check, one for each of their factors, from factors with their products.
fn check_leaves<'a>(factors: impl Iterator<Item = (usize, &'a Factor)>) -> usize {
    let leaves = factors.map(|(products, factor)| products.saturating_mul(factor.all_cols()));
    leaves.fold(0usize, usize::saturating_add)
}

impl Group {
    /// The matmul of each check.
    pub(crate) fn matmuls<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = &'a MatMul> {
        self.matmuls.iter().filter_map(|&matmul| plan.matmuls.get(matmul))
    }

    /// The sum of each check.
    pub(crate) fn sums<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = &'a Sum> {
        self.sums.iter().filter_map(|&sum| plan.sums.get(sum))
    }

    /// The factors of all trees.
    pub(crate) fn factors<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = &'a Factor> {
        let of_matmuls = self.matmuls(plan).flat_map(|m| m.factors().map(|(_, factor)| factor));
        of_matmuls.chain(self.sums(plan).flat_map(Sum::factors))
    }

    /// The chunks that the group's relations read.
    fn chunks<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = &'a Chunk> {
        self.factors(plan).flat_map(Factor::chunks)
    }

    /// The views and planes that the group's relations read.
    pub(crate) fn views(&self, plan: &Plan) -> GroupViews {
        let views: BTreeSet<usize> = self.chunks(plan).map(|chunk| chunk.view).collect();
        let of_plan = || views.iter().filter_map(|&view| plan.views.get(view));
        let planes: BTreeSet<usize> = of_plan().flat_map(|view| &view.planes).copied().collect();
        let planes = Vec::from_iter(planes);
        let number = |plane: &usize| planes.binary_search(plane).unwrap_or(usize::MAX);
        let renumber = |view: &View| View {
            rows: view.rows,
            cols: view.cols,
            planes: view.planes.iter().map(number).collect(),
        };
        let local = of_plan().map(renumber).collect();
        let shapes = planes.iter().filter_map(|&plane| plan.planes.get(plane).copied()).collect();
        GroupViews { views: views.into_iter().collect(), planes, local, shapes }
    }
}

impl GroupViews {
    /// Claims on the plan's views as claims on the group's.
    pub(crate) fn localize<E>(&self, claims: &mut [OneHotClaim<E>]) {
        for claim in claims {
            claim.view = self.views.binary_search(&claim.view).unwrap_or(usize::MAX);
        }
    }

    /// The group's number of a plane of the plan, if its views have it.
    pub(crate) fn plane(&self, plane: usize) -> Option<usize> {
        self.planes.binary_search(&plane).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_stay_within_the_size_where_they_can() {
        let ends = |items: &[usize], most| -> Vec<usize> {
            let runs = runs(items.iter().copied(), most);
            assert!(runs.windows(2).all(|pair| pair[0].end == pair[1].start));
            runs.iter().map(|run| run.end).collect()
        };
        let items = [3, 4, 2, 9, 1, 1];
        assert_eq!(ends(&items, usize::MAX), [6]);
        assert_eq!(ends(&items, 20), [6]);
        assert_eq!(ends(&items, 11), [3, 6]);
        assert_eq!(ends(&items, 7), [2, 3, 4, 6]);
        assert_eq!(ends(&items, 0), [1, 2, 3, 4, 5, 6]);
        assert_eq!(ends(&[], 5), []);
        assert_eq!(ends(&[usize::MAX, usize::MAX], usize::MAX), [2]);
    }

    #[test]
    fn sizes_have_an_end() {
        assert_eq!(GroupSize::new(63), Some(GroupSize::MAX));
        assert_eq!(GroupSize::new(64), None);
        assert_eq!(GroupSize::default().most(), 1 << 24);
    }
}
