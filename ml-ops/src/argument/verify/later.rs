//! Checks of public tables, on which nothing that follows depends: other threads make them beside the rest.

use binfer_field::F128;
use binfer_iop::channel::{Element, VerifierChannel, VerifyError};

use super::MALFORMED;
use crate::threads::{self, Job};

/// What tables come to, or that there are too few claims on them.
type Sum = Result<F128, VerifyError>;

/// Gives checks to other threads, or makes them at once where there are none.
pub(super) struct Later<'j, 'a, E> {
    jobs: Option<&'j mut dyn FnMut(Job<'a, Sum>)>,
    /// What is left to be the sums that others work out.
    values: Vec<E>,
}

impl<'a, E: Element> Later<'_, 'a, E> {
    /// Requires `sum` to be `value`.
    pub(super) fn check<C: VerifierChannel<Elem = E>>(
        &mut self,
        channel: &mut C,
        value: E,
        sum: impl FnOnce() -> Sum + Send + 'a,
    ) -> Result<(), VerifyError> {
        match &mut self.jobs {
            Some(jobs) => {
                jobs(Box::new(sum));
                self.values.push(value);
                Ok(())
            }
            None => require(channel, value, sum()),
        }
    }
}

/// Does `work`, and all checks of `parts` parts that it leaves for later.
///
/// # Errors
/// The first of those checks that fails, or else what `work` fails with: that comes after them.
pub(super) fn verify<'a, C: VerifierChannel + Send>(
    channel: &mut C,
    parts: usize,
    work: impl FnOnce(&mut C, &mut Later<'_, 'a, C::Elem>) -> Result<(), VerifyError> + Send,
) -> Result<(), VerifyError> {
    let ((done, values), sums) = threads::beside(parts, |jobs| {
        let mut later = Later { jobs, values: Vec::new() };
        (work(channel, &mut later), later.values)
    });
    if values.len() != sums.len() {
        return Err(MALFORMED);
    }
    for (value, sum) in values.into_iter().zip(sums) {
        require(channel, value, sum)?;
    }
    done
}

fn require<C: VerifierChannel>(
    channel: &mut C,
    value: C::Elem,
    sum: Sum,
) -> Result<(), VerifyError> {
    channel.assert_zero("tables", value + sum?.into())
}
