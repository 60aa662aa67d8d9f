//! Constructors: `FlyteFile(path)` becomes `File.from_local_sync(path)` or `File.from_existing_remote(path)`.
//!
//! # FM276
//!
//! ## What it does
//!
//! Writes `from_local_sync` for a path that comes from elsewhere, and asks to look where it comes from.
//!
//! ## Why
//!
//! `FlyteFile(path)` takes a path on this machine and the address of an object store alike. Flyte 2 has a constructor for each,
//! and a parameter may be either.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! @task
//! def step(path: str) -> FlyteFile:
//!     return FlyteFile(path)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//! from flyte.io import File
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(path: str) -> File:
//!     return File.from_local_sync(path)
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. For an address write `File.from_existing_remote`.
//!
//! ## Not handled
//!
//! Paths whose text tells what they are: they get the right constructor.
//!
//! ## References
//!
//! `flytekit/types/file/file.py` of flytekit 1.16.31; `flyte/io/_file.py` of flyte 2.12.1.

use super::super::paths::Locality;
use super::super::types::IoType;
use super::FunctionIo;
use crate::edit::Edit;
use crate::python::Ranged;
use crate::python::ast::{self, ArgOrKeyword, Expr};
use crate::rules::codes::LOCAL_OR_REMOTE;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

impl<'a> FunctionIo<'a, '_> {
    /// `FlyteFile(path)`, `FlyteDirectory(path=…)`, `StructuredDataset(dataframe=df)`.
    pub(super) fn construct(&mut self, call: &'a ast::ExprCall, io: IoType) {
        let callee = match &*call.func {
            Expr::Subscript(subscript) => &*subscript.value,
            func => func,
        };
        self.outcome.consumed.push(callee.range());
        if io == IoType::Frame {
            self.construct_frame(call);
            return;
        }
        let mut path = None;
        let mut destination = None;
        let mut is_known = true;
        for (position, argument) in call.arguments.arguments_source_order().enumerate() {
            match argument {
                ArgOrKeyword::Arg(value) if position == 0 && !value.is_starred_expr() => {
                    path = Some(argument);
                }
                ArgOrKeyword::Keyword(keyword) => match keyword.arg.as_ref().map(ast::Identifier::as_str) {
                    Some("path") => path = Some(argument),
                    Some("remote_path" | "remote_directory") if keyword.value.is_string_literal_expr() => {
                        destination = keyword.arg.as_ref();
                    }
                    Some("remote_path" | "remote_directory") if keyword.value.is_none_literal_expr() => {
                        is_known = false;
                    }
                    _ => is_known = false,
                },
                ArgOrKeyword::Arg(_) => is_known = false,
            }
        }
        let Some(path) = path.filter(|_| is_known) else {
            let text = self.text(call.range);
            self.find(
                call.range,
                Effect::Blocking,
                format!("`{text}` has arguments that Flyte 2 has no counterpart for"),
                "Make it with `from_local`, `from_existing_remote` or `new_remote` by hand",
            );
            return;
        };
        let locality = self.paths.locality(path.value());
        if locality == Locality::Unknown {
            self.either(path.value(), io);
        }
        if locality == Locality::Remote && destination.is_some() {
            self.unknown(path.value());
        }
        if self.early.unknown.contains(&call.range) {
            let text = self.text(call.range);
            self.find(
                call.range,
                Effect::Blocking,
                format!("`{text}` is made before its file may be written; Flyte 2 uploads it here"),
                "Make it where it is returned or handed to a task",
            );
        }
        if self.early.calls.contains(&call.range) {
            let path = path.value().range();
            self.outcome.edits.push(Edit::deletion(TextRange::new(call.start(), path.start())));
            self.outcome.edits.push(Edit::deletion(TextRange::new(path.end(), call.end())));
            return;
        }
        if let ArgOrKeyword::Keyword(keyword) = path {
            let before = TextRange::new(keyword.range.start(), keyword.value.range().start());
            self.outcome.edits.push(Edit::deletion(before));
        }
        if let Some(name) = destination {
            self.outcome.edits.push(Edit::replacement(name.range, "remote_destination"));
        }
        if locality != Locality::Remote && (self.is_module || self.is_async && self.scopes > 0) {
            let text = self.text(call.range);
            self.find(
                call.range,
                Effect::Blocking,
                format!("`{text}` is made where Flyte 2 cannot upload it"),
                "Make it in a task, and hand the path or the value over",
            );
        }
        let constructor = self.constructor(io, locality);
        let wait = if constructor.ends_with(".from_local") { "await " } else { "" };
        self.outcome.edits.push(Edit::replacement(call.func.range(), format!("{wait}{constructor}")));
    }

    /// A path that the caller gives may lead anywhere.
    fn either(&mut self, path: &Expr, io: IoType) {
        let text = self.text(path.range());
        let message = format!(
            "`{text}` is taken for a path on this machine, which is uploaded; for the address of an object store write `{}.from_existing_remote`",
            io.name()
        );
        let finding = Finding::new(&LOCAL_OR_REMOTE, path.range(), Effect::Unsafe, message)
            .help("Look where the path comes from");
        self.outcome.findings.push(finding);
    }

    fn construct_frame(&mut self, call: &'a ast::ExprCall) {
        let arguments: Vec<ArgOrKeyword<'_>> = call.arguments.arguments_source_order().collect();
        let names = arguments.iter().map(|argument| match argument {
            ArgOrKeyword::Arg(_) => None,
            ArgOrKeyword::Keyword(keyword) => keyword.arg.as_ref().map(ast::Identifier::as_str),
        });
        let names: Vec<Option<&str>> = names.collect();
        let type_name = self.names.io(IoType::Frame);
        let (method, renamed): (&str, &[(&str, &str)]) = match names[..] {
            [None | Some("dataframe")] => ("from_df", &[("dataframe", "")]),
            [Some("uri")] => ("from_existing_remote", &[("uri", "")]),
            [Some("uri"), Some("file_format")] => {
                ("from_existing_remote", &[("uri", ""), ("file_format", "format=")])
            }
            _ => {
                let text = self.text(call.range);
                self.find(
                    call.range,
                    Effect::Blocking,
                    format!("`{text}` has arguments that Flyte 2 has no counterpart for"),
                    "Make it with `flyte.io.DataFrame.from_df` or `from_existing_remote` by hand",
                );
                return;
            }
        };
        if method == "from_existing_remote" {
            self.find(
                call.range,
                Effect::Unsafe,
                "a frame at an address is read by another reader on Flyte 2",
                "Make sure that the format is one that flyte reads: parquet, or csv",
            );
        }
        for argument in &arguments {
            let ArgOrKeyword::Keyword(keyword) = argument else { continue };
            let given = renamed.iter().find(|(from, _)| keyword.arg.as_ref().is_some_and(|arg| arg == *from));
            if let Some((_, to)) = given {
                let before = TextRange::new(keyword.range.start(), keyword.value.range().start());
                self.outcome.edits.push(Edit::replacement(before, *to));
            }
        }
        self.outcome.edits.push(Edit::replacement(call.func.range(), format!("{type_name}.{method}")));
    }

    /// Puts the constructor of Flyte 2 around a path.
    pub(super) fn make(&mut self, range: TextRange, io: IoType, locality: Locality) {
        if self.is_module && self.scopes == 0 && locality != Locality::Remote {
            self.find(
                range,
                Effect::Blocking,
                format!("`{}` is uploaded here, where Flyte 2 is not set up yet", self.text(range)),
                "Call it in a function or in the `__main__` block, behind `flyte.init()`",
            );
            return;
        }
        let constructor = self.constructor(io, locality);
        let wait = if constructor.ends_with(".from_local") { "await " } else { "" };
        self.insert(range, format!("{wait}{constructor}("), ")");
    }

    /// `File.from_local_sync`, `File.from_existing_remote`, `DataFrame.from_df`.
    fn constructor(&mut self, io: IoType, locality: Locality) -> String {
        let method = match (io, locality) {
            (IoType::Frame, _) => "from_df",
            (_, Locality::Remote) => "from_existing_remote",
            _ if self.is_async && self.scopes == 0 => "from_local",
            _ => "from_local_sync",
        };
        format!("{}.{method}", self.names.io(io))
    }
}
