//! What Flyte 2 code is made of: images as chains of calls, and task environments.

pub mod chain;
pub mod layout;
mod lines;
