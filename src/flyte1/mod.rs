//! Flyte 1 as it is found in the sources: its names, its tasks and workflows, its images.

pub mod body;
pub mod file;
pub mod symbol;
