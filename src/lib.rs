//! Rewrites Flyte 1 (flytekit) Python into Flyte 2 (flyte).
//!
//! The modules in reading order: [`discover`] finds files and [`load`] reads them into [`source`]s; [`python`] parses
//! and resolves names; [`flyte1`] knows what Flyte 1 calls things; [`project`] ties everything that must move
//! together and decides; [`rules`] map parameters; [`flyte2`] lays out code; [`rewrite`] makes findings and
//! [`edit`]s; [`migrate`](mod@migrate) checks the result; [`image`] is the model of Flyte 2 images; [`diagnostic`],
//! [`diff`], [`write`](mod@write) and [`cli`] hand it out.

pub mod around;
pub mod builder_config;
pub mod cli;
pub mod commands;
pub mod diagnostic;
pub mod diff;
pub mod discover;
pub mod edit;
pub mod file_kind;
pub mod flyte1;
pub mod flyte2;
pub mod image;
pub mod load;
pub mod manifests;
pub mod migrate;
pub mod project;
pub mod python;
pub mod rewrite;
pub mod rules;
pub mod source;
pub mod write;
