//! `requests=Resources(...)` and `limits=Resources(...)` become `resources=flyte.Resources(...)` of the environment.
//!
//! One value is a request; a pair is a request and a limit, for cpu and memory only.
//!
//! ```python
//! requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2", mem="2Gi")
//! resources=Resources(cpu=("1", "2"), memory=("1Gi", "2Gi"))
//! ```

use super::codes::{ACCELERATOR, RESOURCES};
use super::{Effect, Finding, accelerator};
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::python::scope::Call;
use crate::python::style::Style;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The fields of flytekit 1.16.31's `Resources` in order (`flytekit/core/resources.py`).
const FIELDS: [&str; 4] = ["cpu", "mem", "gpu", "ephemeral_storage"];

/// One side: `requests` or `limits`.
#[derive(Debug, Default)]
struct Side {
    fields: [Option<String>; 4],
}

/// What a decorator says of resources.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    /// `requests=Resources(…)`
    pub(super) requests: Option<&'a Call>,
    /// `limits=Resources(…)`
    pub(super) limits: Option<&'a Call>,
    /// `accelerator=`: its dotted path and its place.
    pub(super) accelerator: Option<(String, TextRange)>,
    /// The value of `shm=`.
    pub(super) shared_memory: Option<String>,
}

/// Maps what a decorator says; `None` if there is nothing to write. Names of flyte besides `Resources` go to `uses`.
pub(super) fn map(
    text: &str,
    style: &Style,
    resources_name: &str,
    wanted: &Wanted<'_>,
    uses: &mut Vec<&'static str>,
    findings: &mut Vec<Finding>,
) -> Option<CallText> {
    let Wanted { requests, limits, .. } = *wanted;
    let range = requests.or(limits).map(|call| call.range);
    let range = range.or(wanted.accelerator.as_ref().map(|(_, range)| *range)).unwrap_or_default();
    let requests = requests.map(|call| side(text, style, call, findings)).unwrap_or_default();
    let limits = limits.map(|call| side(text, style, call, findings)).unwrap_or_default();
    let mut arguments = Vec::new();
    for (field, name) in [(0, "cpu"), (1, "memory")] {
        match (&requests.fields[field], &limits.fields[field]) {
            (Some(request), Some(limit)) => arguments.push(format!("{name}=({request}, {limit})")),
            (Some(request), None) => arguments.push(format!("{name}={request}")),
            (None, Some(limit)) => {
                only_limit(findings, range, name);
                arguments.push(format!("{name}=({limit}, {limit})"));
            }
            (None, None) => {}
        }
    }
    let count = gpu(&requests, &limits, range, findings);
    match &wanted.accelerator {
        Some((path, place)) => {
            let count = count.and_then(|count| count.parse().ok()).unwrap_or(1);
            let prefix = resources_name.strip_suffix("Resources").unwrap_or_default();
            match accelerator::map(style, prefix, path, count, *place, findings) {
                Some(gpu) => {
                    uses.extend(gpu.uses);
                    arguments.push(format!("gpu={}", gpu.text));
                }
                None => findings.push(
                    Finding::new(
                        &ACCELERATOR,
                        *place,
                        Effect::Blocking,
                        format!("accelerator `{path}` has no counterpart that is known"),
                    )
                    .help("Name it with `flyte.GPU`, `flyte.TPU` or `flyte.Device` by hand"),
                ),
            }
        }
        None => arguments.extend(count.map(|count| format!("gpu={count}"))),
    }
    arguments.extend(disk(&requests, &limits, range, findings));
    arguments.extend(wanted.shared_memory.as_ref().map(|size| format!("shm={size}")));
    (!arguments.is_empty()).then(|| CallText {
        callee: resources_name.to_owned(),
        arguments: arguments.into_iter().map(Argument::new).collect(),
        ..CallText::default()
    })
}

fn only_limit(findings: &mut Vec<Finding>, range: TextRange, name: &str) {
    findings.push(
        Finding::new(
            &RESOURCES,
            range,
            Effect::Unsafe,
            format!("`{name}` has a limit only; on Flyte 2 the same amount is also requested"),
        )
        .help("Give the request that the platform used by default"),
    );
}

fn gpu(requests: &Side, limits: &Side, range: TextRange, findings: &mut Vec<Finding>) -> Option<String> {
    let (request, limit) = (requests.fields[2].as_ref(), limits.fields[2].as_ref());
    if let (Some(request), Some(limit)) = (request, limit)
        && request != limit
    {
        findings.push(
            Finding::new(&RESOURCES, range, Effect::Blocking, "`gpu` differs between requests and limits")
                .help("Give the same number of GPUs in both"),
        );
    }
    limit.or(request).filter(|count| *count != "0").cloned()
}

fn disk(requests: &Side, limits: &Side, range: TextRange, findings: &mut Vec<Finding>) -> Option<String> {
    let (request, limit) = (requests.fields[3].as_ref(), limits.fields[3].as_ref());
    if limit.is_some() {
        findings.push(
            Finding::new(
                &RESOURCES,
                range,
                Effect::Unsafe,
                "`ephemeral_storage` has no limit on Flyte 2; `disk` is a request",
            )
            .help("Set a limit with a pod template if you need one"),
        );
    }
    request.or(limit).map(|size| format!("disk={size}"))
}

fn side(text: &str, style: &Style, call: &Call, findings: &mut Vec<Finding>) -> Side {
    let mut side = Side::default();
    for (position, argument) in call.arguments.iter().enumerate() {
        let name = match &argument.name {
            Some(name) => Some(name.as_str()),
            None if argument.is_double_starred => None,
            None => FIELDS.get(position).copied(),
        };
        let field = name.and_then(|name| FIELDS.iter().position(|field| *field == name));
        if argument.value.kind == ValueKind::None {
            continue;
        }
        match field.and_then(|field| Some((field, amount(text, style, field, &argument.value)?))) {
            Some((field, amount)) => side.fields[field] = Some(amount),
            None => findings.push(
                Finding::new(
                    &RESOURCES,
                    argument.value.range,
                    Effect::Blocking,
                    format!("`{}` is no literal amount that Flyte 2 takes", &text[argument.value.range]),
                )
                .help("Write the amount out, or migrate this task by hand"),
            ),
        }
    }
    side
}

/// The amount as Flyte 2 takes it: memory and disk as strings, GPUs as a number.
fn amount(text: &str, style: &Style, field: usize, value: &Value) -> Option<String> {
    let source = text[value.range].to_owned();
    match (field, &value.kind) {
        (0, ValueKind::Str(_) | ValueKind::Int(_) | ValueKind::Float(_)) | (1 | 3, ValueKind::Str(_)) => {
            Some(source)
        }
        (1 | 3, ValueKind::Int(bytes)) => Some(style.string(&bytes.to_string())),
        (2, ValueKind::Int(count)) => Some(count.to_string()),
        (2, ValueKind::Str(count)) => count.trim().parse::<u32>().ok().map(|count| count.to_string()),
        _ => None,
    }
}
