//! Elements of a dimension at any constant indices: views of those in equal steps, put together.

use super::builder::Builder;
use super::concatenated;
use super::error::NodeError;
use super::rowwise::part;
use super::view::View;

/// Most views that are put together.
const MOST: usize = 256;

/// Indices in equal steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Run {
    /// Its indices of dimension `dim`.
    pub(super) fn of(&self, view: &View, dim: usize) -> Option<View> {
        view.clone().sliced(dim, self.start, self.step, self.count)
    }
}

/// The runs that indices are.
pub(super) fn runs(indices: &[usize]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some(run) if run.count == 1 && index != run.start => {
                *run = Run { step: index as i64 - run.start as i64, count: 2, ..*run };
            }
            Some(run)
                if run.count > 1
                    && index as i64 == run.start as i64 + run.step * run.count as i64 =>
            {
                run.count += 1;
            }
            _ => runs.push(Run { start: index, step: 1, count: 1 }),
        }
    }
    runs
}

/// The codes of `view` at `indices` of dimension `dim`, each below its size.
pub(super) fn gathered(
    builder: &mut Builder,
    name: &str,
    view: &View,
    dim: usize,
    indices: &[usize],
) -> Result<View, NodeError> {
    let no_view = NodeError::NoView { index: 0 };
    let identity: [u8; 256] = std::array::from_fn(|code| code as u8);
    let all = runs(indices);
    // Every run of a period is one view, if there is a period.
    let (runs, period) = match period(indices) {
        Some(period) if period.len() < all.len() => (period, true),
        _ => (all, false),
    };
    if runs.len() > MOST {
        return Err(no_view);
    }
    let is_view = runs.iter().all(|run| run.of(view, dim).is_some());
    let view = if is_view { view.clone() } else { builder.copied(&part(name, "copy"), view)? };
    let sliced = runs.iter().map(|run| run.of(&view, dim)).collect::<Option<Vec<_>>>();
    let sliced = sliced.ok_or(no_view.clone())?;
    if let [only] = &sliced[..] {
        return Ok(only.clone());
    }
    if !period {
        let parts: Vec<_> = sliced.into_iter().map(|view| (view, identity)).collect();
        return concatenated::view(builder, name, &parts, dim);
    }
    let parts: Vec<_> =
        sliced.into_iter().map(|view| (view.unsqueezed(dim + 1), identity)).collect();
    let made = concatenated::view(builder, name, &parts, dim + 1)?;
    let mut shape = view.shape();
    shape[dim] = indices.len();
    made.reshaped(&shape).ok_or(no_view)
}

/// Indices that repeat with a period, farther by the same number each time: those of each place of it; as few as there are.
fn period(indices: &[usize]) -> Option<Vec<Run>> {
    let n = indices.len();
    (2..=(n / 2).min(MOST)).filter(|places| n.is_multiple_of(*places)).find_map(|places| {
        let step = indices[places] as i64 - indices[0] as i64;
        let repeats = |at: usize| indices[at + places] as i64 == indices[at] as i64 + step;
        let run = |&start: &usize| Run { start, step, count: n / places };
        let is_period = step != 0 && (0..n - places).all(repeats);
        is_period.then(|| indices[..places].iter().map(run).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_periods_spell_their_indices() {
        let spelled = |runs: &[Run]| -> Vec<usize> {
            let of = |run: &Run| {
                let Run { start, step, count } = *run;
                (0..count).map(move |at| (start as i64 + step * at as i64) as usize)
            };
            runs.iter().flat_map(of).collect()
        };
        for indices in
            [vec![0], vec![2, 1, 0], vec![0, 0, 1, 2, 2, 3], vec![5, 0, 3, 7], vec![1; 4]]
        {
            assert_eq!(spelled(&runs(&indices)), indices);
        }
        let places = period(&[0, 0, 1, 2, 2, 3, 4, 4, 5]).expect("a period of three");
        let starts: Vec<_> = places.iter().map(|run| (run.start, run.step, run.count)).collect();
        assert_eq!(starts, [(0, 2, 3), (0, 2, 3), (1, 2, 3)]);
        assert_eq!(period(&[0, 1, 1, 2, 2]), None);
    }
}
