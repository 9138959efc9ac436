//! Larger matmuls: a square one, a feed-forward layer with and without requantization, a prefill.

use super::{Rendered, Section, on_one_and_two};
use crate::bench::Task;
use crate::bench::suite::peers::{FEED_FORWARD, SQUARE_64};
use crate::bench::suite::{figures, peers};
use crate::bench::workload::Shape;

/// The feed-forward layer, its outputs requantized to int8.
pub(in crate::bench::suite) const REQUANTIZED: Task =
    Task::Matmul { shape: Shape { m: 32, k: 768, n: 3072 }, weight_bits: 8, requantize: true };
/// [128 x 768] by [768 x 3072].
pub(in crate::bench::suite) const PREFILL: Task = Task::matmul(128, 768, 3072);

static TASKS: [Task; 4] = [SQUARE_64, FEED_FORWARD, REQUANTIZED, PREFILL];

pub(super) const SECTION: Section = Section {
    name: "matmuls",
    title: "Larger matmuls",
    cases: |_| on_one_and_two(&TASKS),
    render: |results| {
        let figures = figures::table(results, &on_one_and_two(&TASKS));
        let peers = peers::table(results, &TASKS);
        let text = format!(
            "Accumulators are the output, or int8 where it says requantized: then rounding and \
             saturation are proved as well.\n\n{figures}\nBeside the figures of others, marked \
             as above.\n\n{peers}"
        );
        Rendered { text, plots: Vec::new() }
    },
};
