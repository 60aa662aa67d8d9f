//! What to do about names of Flyte 1 that have no counterpart which could be written for the user.
//!
//! ```python
//! hello = ShellTask(name="hello", script="echo hello")     # FM279: run it with `subprocess` in a task
//! ```
//!
//! # FM278
//!
//! ## What it does
//!
//! Speaks of a type of data of Flyte 1 for which no counterpart can be written, and says what to use.
//! Speaks also of a type of the project, or of a library, for which the project has a `TypeTransformer` of Flyte 1.
//!
//! ## Why
//!
//! Each type has its own way to be stored. Where Flyte 2 has another or none, what reads and writes the data changes too.
//! Flyte 2 asks no transformer of Flyte 1: it would pickle the value.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.schema import FlyteSchema
//!
//!
//! @task
//! def step(rows: FlyteSchema) -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import pandas as pd
//! from flytekit import task
//!
//!
//! @task
//! def step(rows: pd.DataFrame) -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! `FlyteSchema`, iterators, pickles, models of torch and tensorflow, and constructors such as `FlyteFile.new`.
//!
//! ## References
//!
//! `flytekit/types` of flytekit 1.16.31; `flyte/io` of flyte 2.12.1.
//!
//! # FM279
//!
//! ## What it does
//!
//! Speaks of a task that is no function: a container, a shell script, a query, a sensor.
//!
//! ## Why
//!
//! Flyte 2 has other classes for these, or takes a function that does the same.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task, workflow
//! from flytekit.extras.tasks.shell import ShellTask
//!
//! hello = ShellTask(name="hello", script="echo hello")
//!
//!
//! @task
//! def step() -> int:
//!     return 1
//!
//!
//! @workflow
//! def main() -> int:
//!     hello()
//!     return step()
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import subprocess
//!
//! from flytekit import task, workflow
//!
//!
//! @task
//! def step() -> int:
//!     return subprocess.run(["echo", "hello"], check=True).returncode
//!
//!
//! @workflow
//! def main() -> int:
//!     return step()
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What the script or query does.
//!
//! ## References
//!
//! `flytekit/extras/tasks/shell.py` of flytekit 1.16.31; `flyte/extras` of flyte 2.12.1.
//!
//! # FM280
//!
//! ## What it does
//!
//! Speaks of code that names or runs something that is deployed with Flyte 1: references, `FlyteRemote`, artifacts. A
//! function of the project that is fetched by its name is told at the name, any other client is noted.
//!
//! ## Why
//!
//! Flyte 2 reaches only what is deployed with Flyte 2, through `flyte.remote`. Whether the target is migrated yet cannot be seen
//! in the code.
//!
//! ## Example
//!
//! ```python
//! from flytekit import reference_task, task, workflow
//!
//!
//! @reference_task(project="p", domain="d", name="other", version="1")
//! def other() -> int: ...
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main() -> int:
//!     return step(n=other())
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main() -> int:
//!     return step(n=1)
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! The order in which projects are migrated: the target comes first.
//!
//! ## References
//!
//! `flytekit/core/reference.py` of flytekit 1.16.31; `flyte/remote/_task.py` of flyte 2.12.1.

use super::codes::{DATA_TYPE, FLYTE1_USE, OTHER_TASK, REFERENCE};
use crate::diagnostic::Rule;
use crate::flyte1::symbol::Symbol;

/// The rule and the advice for everything whose path begins so. The first row that fits counts.
const ROWS: [(&str, &Rule, &str); 41] = [
    (
        "flytekit.ContainerTask",
        &OTHER_TASK,
        "Assign it to a name at the top level of the module, in a statement of its own",
    ),
    (
        "flytekit.extras.tasks.shell",
        &OTHER_TASK,
        "Run the script with `subprocess.run` in a task, or use `flyte.extras.shell`",
    ),
    (
        "flytekitplugins.papermill",
        &OTHER_TASK,
        "Make it a `flyteplugins.papermill.NotebookTask`, and give its image to a `flyte.TaskEnvironment(…)`",
    ),
    (
        "union.app",
        &OTHER_TASK,
        "Make it a `flyte.app.AppEnvironment(name=…, image=…)`, with an image that holds what the app runs",
    ),
    (
        "union.App",
        &OTHER_TASK,
        "Make it a `flyte.app.AppEnvironment(name=…, image=…)`, with an image that holds what the app runs",
    ),
    (
        "flytekit.eager",
        &OTHER_TASK,
        "Make it an `async` task, `@env.task`, which awaits the tasks that it calls",
    ),
    ("flytekit.SQLTask", &OTHER_TASK, "Run the query in a task, with the client of the database"),
    ("flytekit.extras.sqlite3", &OTHER_TASK, "Run the query with `sqlite3` in a task"),
    ("flytekit.sensor", &OTHER_TASK, "Wait in a task, in a loop with `time.sleep`"),
    ("flytekit.extend.backend", &OTHER_TASK, "Write a connector with `flyte.connectors`"),
    (
        "flytekit.core.python_function_task",
        &OTHER_TASK,
        "Subclass `flyte.extend` types by hand, or make it a task",
    ),
    ("flytekit.PythonFunctionTask", &OTHER_TASK, "Subclass `flyte.extend` types by hand, or make it a task"),
    ("flytekit.PythonInstanceTask", &OTHER_TASK, "Make it a task with a function"),
    ("flytekit.Workflow", &OTHER_TASK, "Write the workflow as a function that calls its tasks"),
    (
        "flytekit.approve",
        &FLYTE1_USE,
        "Wait in the workflow with `flyte.new_condition(name, prompt=…, data_type=bool, timeout=…).wait()`, and raise if it gives `False`; the backend must know conditions",
    ),
    (
        "flytekit.wait_for_input",
        &FLYTE1_USE,
        "Wait with `flyte.new_condition(name, data_type=…, timeout=…).wait()`, which takes `bool`, `int`, `float` and `str`; the backend must know conditions",
    ),
    (
        "flytekit.sleep",
        &FLYTE1_USE,
        "Call `time.sleep(….total_seconds())` in the workflow; unlike on Flyte 1 its container runs meanwhile",
    ),
    (
        "flytekit.reference_task",
        &REFERENCE,
        "Call it with `await flyte.remote.Task.get(\"env.task\", project=…, domain=…, version=…)(…)`; that reaches only what is deployed with Flyte 2, so migrate the target first",
    ),
    (
        "flytekit.reference_workflow",
        &REFERENCE,
        "Workflows of Flyte 1 are reached by `FlyteRemote` only; migrate the target first, and get it with `flyte.remote.Task.get`",
    ),
    (
        "flytekit.reference_launch_plan",
        &REFERENCE,
        "Launch plans of Flyte 1 are reached by `FlyteRemote` only; migrate the target first, and get it with `flyte.remote.Task.get`",
    ),
    (
        "flytekit.get_reference_entity",
        &REFERENCE,
        "Migrate the target first, and get it with `flyte.remote.Task.get`",
    ),
    (
        "flytekit.FlyteRemote",
        &REFERENCE,
        "For what is deployed with Flyte 2, call `flyte.init_from_config()` and `flyte.run`; for what stays on Flyte 1, keep `FlyteRemote` in a script of its own",
    ),
    (
        "flytekit.remote",
        &REFERENCE,
        "For what is deployed with Flyte 2, call `flyte.init_from_config()` and `flyte.run`; for what stays on Flyte 1, keep `FlyteRemote` in a script of its own",
    ),
    (
        "union.UnionRemote",
        &REFERENCE,
        "For what is deployed with Flyte 2, call `flyte.init_from_config()` and `flyte.run`; for what stays on Flyte 1, keep `UnionRemote` in a script of its own",
    ),
    (
        "union.Artifact",
        &DATA_TYPE,
        "Hand the value over as an input, or look at `flyte.OnArtifact` of the trigger",
    ),
    (
        "union.artifacts",
        &DATA_TYPE,
        "Hand the value over as an input, or look at `flyte.OnArtifact` of the trigger",
    ),
    (
        "flytekit.Artifact",
        &DATA_TYPE,
        "Hand the value over as an input, or look at `flyte.OnArtifact` of the trigger",
    ),
    ("flytekit.types.schema", &DATA_TYPE, "Use `flyte.io.DataFrame`, or `pandas.DataFrame` itself"),
    (
        "flytekit.types.structured",
        &DATA_TYPE,
        "Use `flyte.io.DataFrame`; its encoders and decoders are registered with `flyte.io.extend`",
    ),
    (
        "flytekit.StructuredDataset",
        &DATA_TYPE,
        "Use `flyte.io.DataFrame`; its encoders and decoders are registered with `flyte.io.extend`",
    ),
    (
        "flytekit.types.file.FlyteFile.new",
        &DATA_TYPE,
        "Use `flyte.io.File.new_remote()` and write to it with `open_sync(\"wb\")`",
    ),
    (
        "flytekit.types.file.FlyteFile.from_source",
        &DATA_TYPE,
        "Use `flyte.io.File.from_existing_remote` for an address, `from_local_sync` for a path",
    ),
    (
        "flytekit.types.directory.FlyteDirectory.listdir",
        &DATA_TYPE,
        "Use `list_files_sync()` of the `Dir`; it lists files, not folders",
    ),
    (
        "flytekit.types.directory.FlyteDirectory.new",
        &DATA_TYPE,
        "Use `flyte.io.Dir.new_remote()`, or `from_local_sync` for a path",
    ),
    (
        "flytekit.types.directory.FlyteDirectory.from_source",
        &DATA_TYPE,
        "Use `flyte.io.Dir.from_existing_remote` for an address, `from_local_sync` for a path",
    ),
    (
        "flytekit.types.iterator",
        &DATA_TYPE,
        "Use a list, or a file with a line for each item; an iterator cannot leave a task on Flyte 2",
    ),
    (
        "flytekit.types.pickle",
        &DATA_TYPE,
        "Leave the annotation out: Flyte 2 pickles types that it does not know",
    ),
    ("flytekit.types", &DATA_TYPE, "Save the value to a file, and hand a `flyte.io.File` over"),
    (
        "flytekit.HashMethod",
        &DATA_TYPE,
        "Use `flyte.io.HashFunction`, which the constructors of `File` and `DataFrame` take as `hash_method`",
    ),
    (
        "flytekit.extras.pytorch",
        &DATA_TYPE,
        "Save the model with `torch.save`, and hand a `flyte.io.File` over",
    ),
    ("flytekit.extras.tensorflow", &DATA_TYPE, "Save the model to a folder, and hand a `flyte.io.Dir` over"),
];

/// The rule and the advice for a name that is not migrated.
pub fn advice(symbol: &Symbol) -> (&'static Rule, &'static str) {
    let Symbol::Other(path) = symbol else { return GENERAL };
    let is_below = |start: &str| {
        path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
    };
    let row = ROWS.iter().find(|(start, ..)| is_below(start));
    row.map_or(GENERAL, |(_, rule, help)| (*rule, *help))
}

/// What is said of everything else.
const GENERAL: (&Rule, &str) = (&FLYTE1_USE, "Replace it by its Flyte 2 counterpart by hand");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flyte1::symbol::symbol;

    fn code(path: &str) -> &'static str {
        advice(&symbol(path).unwrap()).0.code
    }

    #[test]
    fn each_kind_of_name_has_its_rule() {
        assert_eq!(code("flytekit.core.container_task.ContainerTask"), OTHER_TASK.code);
        assert_eq!(code("flytekit.extras.tasks.shell.ShellTask"), OTHER_TASK.code);
        assert_eq!(code("flytekit.reference_task"), REFERENCE.code);
        assert_eq!(code("flytekit.types.file.FlyteFile.new_remote_file"), DATA_TYPE.code);
        assert_eq!(code("flytekit.types.schema.FlyteSchema"), DATA_TYPE.code);
        assert_eq!(code("flytekit.sensorium"), FLYTE1_USE.code);
        assert_eq!(code("flytekit.create_node"), FLYTE1_USE.code);
        assert!(advice(&symbol("flytekit.core.gate.approve").unwrap()).1.contains("new_condition"));
    }
}
