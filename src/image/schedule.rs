//! The order of a run: bases first, the others side by side, and each image once.
//!
//! ```python
//! train = flyte.Image.from_base(base.uri).clone(name="train", extendable=True)    # when `base` is done
//! ```
//!
//! # FM585
//!
//! ## What it does
//!
//! Speaks of images that start from each other.
//!
//! ## Why
//!
//! None of them can be built first.
//!
//! ## Example
//!
//! `image build` where the `uri` of each image is the base of the other:
//!
//! ```python
//! import flyte
//!
//! first = flyte.Image.from_base("ghcr.io/acme/second:1").clone(name="first", extendable=True)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! first = flyte.Image.from_debian_base(python_version=(3, 12), name="first")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Images that are built elsewhere.
//!
//! ## References
//!
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Base;
use super::build::{Outcome, Request};
use super::step::Problem;
use crate::rules::codes;

/// Who is built when.
#[derive(Debug)]
pub struct Schedule<'a> {
    requests: &'a [Request],
    /// For each request what must come before it: its base, or the same image asked for elsewhere.
    before: Vec<Option<usize>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<usize>,
    outcomes: Vec<Option<Outcome>>,
}

impl<'a> Schedule<'a> {
    /// The order of a run.
    ///
    /// # Errors
    /// Images that are each other's base.
    pub fn new(requests: &'a [Request]) -> Result<Self, Problem> {
        let bases = bases(requests)?.into_iter().enumerate();
        let before = bases.map(|(index, base)| twin(requests, index).or(base)).collect();
        let state = State { waiting: (0..requests.len()).collect(), outcomes: vec![None; requests.len()] };
        Ok(Self { requests, before, state: Mutex::new(state), changed: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request whose base is done; waits for it.
    pub fn next(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.waiting.is_empty() {
                return None;
            }
            let is_ready =
                |&request: &usize| self.before[request].is_none_or(|before| state.outcomes[before].is_some());
            if let Some(position) = state.waiting.iter().position(is_ready) {
                return state.waiting.remove(position);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What is decided by what came before a request.
    pub fn verdict(&self, request: usize) -> Option<Outcome> {
        let requests = self.requests;
        let before = self.before[request]?;
        let state = self.state();
        let is_twin = requests[before].uri == requests[request].uri;
        if let Some(problem) = confusion(requests, request) {
            return Some(Outcome::failed(problem));
        }
        match state.outcomes[before].as_ref()? {
            Outcome::Failed { .. } if is_twin => state.outcomes[before].clone(),
            Outcome::Failed { .. } => {
                let message = format!("`{}`, its base, could not be built", requests[before].label);
                Some(Outcome::failed(Problem::new(&codes::FAILED_BUILD, message)))
            }
            _ => is_twin.then(|| Outcome::Skipped(format!("`{}` is the same image", requests[before].label))),
        }
    }

    /// Notes what became of a request, and wakes those that wait for it.
    pub fn finish(&self, request: usize, outcome: Outcome) {
        self.state().outcomes[request] = Some(outcome);
        self.changed.notify_all();
    }

    /// What became of each request.
    pub fn outcomes(self) -> Vec<Outcome> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.outcomes.into_iter().flatten().collect()
    }
}

/// The first request with the uri of another, if it stands in front of it.
fn twin(requests: &[Request], request: usize) -> Option<usize> {
    requests[..request].iter().position(|other| other.uri == requests[request].uri)
}

/// Why an image cannot be told from one before it: what the SDK makes the tag of does not tell every two images apart.
pub fn confusion(requests: &[Request], request: usize) -> Option<Problem> {
    let (own, twin) = (&requests[request], &requests[twin(requests, request)?]);
    if twin.image.is_built_as(&own.image) {
        return None;
    }
    let message =
        format!("`{}` and `{}` are different images with one uri, `{}`", twin.label, own.label, own.uri);
    Some(Problem::new(&codes::UNSUPPORTED_BUILD, message).help("Give one of them another name"))
}

/// What must be built first: for each request the one whose image it starts from.
///
/// # Errors
/// Images that are each other's base.
fn bases(requests: &[Request]) -> Result<Vec<Option<usize>>, Problem> {
    let bases: Vec<Option<usize>> = requests
        .iter()
        .map(|request| match &request.image.base {
            Base::Reference(base) if request.image.is_cloned => {
                requests.iter().position(|other| other.image.is_cloned && other.uri == *base)
            }
            _ => None,
        })
        .collect();
    for start in 0..bases.len() {
        let mut at = start;
        for _ in 0..bases.len() {
            let Some(base) = bases[at] else { break };
            at = base;
        }
        if bases[at].is_some() {
            let message = format!("`{}` is its own base, by way of others", requests[at].uri);
            return Err(
                Problem::new(&codes::BASE_CYCLE, message).help("Let one of them start from another image")
            );
        }
    }
    Ok(bases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::build::tests::request;

    #[test]
    fn bases_come_first_and_cycles_are_told() {
        let requests = [request("a", "b:1"), request("b", "python:3"), request("c", "b:1")];
        assert_eq!(bases(&requests).unwrap(), [Some(1), None, Some(1)]);
        let circle = [request("a", "b:1"), request("b", "a:1"), request("c", "a:1")];
        assert_eq!(bases(&circle).unwrap_err().rule.code, "FM585");
    }
}
