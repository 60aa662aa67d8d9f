//! What Flyte 2 code is made of: images as chains of calls, and task environments.

mod calls;
pub mod chain;
pub mod changes;
pub mod check;
pub mod constant;
pub mod entry;
mod environment;
pub mod environment_check;
pub mod evaluate;
mod frozen;
mod image_calls;
mod image_class;
pub mod inits;
pub mod layout;
pub mod lines;
pub mod order;
pub mod pixi;
pub mod read;
mod replaced;
pub mod scope;
pub mod search;
pub mod signature;
mod trace;
pub mod variables;
