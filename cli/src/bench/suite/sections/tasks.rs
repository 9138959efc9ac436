//! The neutral int8 tasks, beside other systems.

use super::{Rendered, Section, on_one_and_two};
use crate::bench::Task;
use crate::bench::suite::{figures, peers};

static TASKS: [Task; 7] =
    [Task::T1Zero, Task::T1A, Task::T1B, Task::T1C, Task::T1D, Task::T2, Task::T3];

pub(super) const SECTION: Section = Section {
    name: "tasks",
    title: "The neutral tasks",
    cases: |_| on_one_and_two(&TASKS),
    render: |results| {
        let figures = figures::table(results, &on_one_and_two(&TASKS));
        let peers = peers::table(results, &TASKS);
        let text = format!(
            "Signed full-range int8 operands; exact accumulators are the output. `t1-0` is [1 \
             x 256] by [256 x 256], `t1-a` to `t1-d` are [M x 768] by [768 x 768] with M of 1, \
             4, 16 and 64, `t2` is a perceptron 200-256-128-64-1 with Relu, `t3` a batch of 8 \
             through it in one proof. Commitment happens once a model and is not part of \
             proving.\n\n{figures}\n\
             Beside the figures of others, on the machines named; the source A is the authors \
             of the system, T a neutral third party, H this project on another server. \
             Machines differ: read orders of magnitude. Weights are committed and hidden from \
             the verifier in ours, and public where that is said.\n\n{peers}"
        );
        Rendered { text, plots: Vec::new() }
    },
};
