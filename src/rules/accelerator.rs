//! `accelerator=T4` becomes a part of `gpu` in `flyte.Resources`.
//!
//! flyte 2.12.1 names common devices in a string with their number, `"T4:1"`; for others, for partitions and for
//! larger numbers it has classes. The label that reaches the cluster must stay the same.
//!
//! # FM209
//!
//! ## What it does
//!
//! Makes the accelerator a part of `gpu` in the resources: `GPU("T4", 1)`.
//!
//! ## Why
//!
//! Flyte 2 names the device together with its number.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, Resources, task
//! from flytekit.extras.accelerators import T4
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, requests=Resources(gpu="1"), accelerator=T4)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, Resources, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image, resources=Resources(gpu="T4:1"))
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe.
//!
//! ## Not handled
//!
//! Accelerators that flyte does not know.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)

use super::codes::ACCELERATOR;
use super::setting::{Effects, SettingContext};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::python::value::Value;
use crate::source::TextRange;

/// Devices that flyte names in a string: Flyte 1's constant, Flyte 2's name, the largest number.
const NAMED: [(&str, &str, u32); 8] = [
    ("A10G", "A10G", 8),
    ("L4", "L4", 8),
    ("V100", "V100", 8),
    ("T4", "T4", 8),
    ("A100", "A100", 8),
    ("A100_80GB", "A100_80G", 8),
    ("L40S", "L40s", 8),
    ("RTX_PRO_6000", "RTX_PRO_6000", 2),
];

/// Devices that only their label names (`flytekit/extras/accelerators.py`, 1.16.31), and whether flyte would send
/// another label for the name that people expect.
const LABELED: [(&str, &str, bool); 7] = [
    ("H100", "nvidia-h100", true),
    ("H200", "nvidia-h200", true),
    ("K80", "nvidia-tesla-k80", false),
    ("M60", "nvidia-tesla-m60", false),
    ("P4", "nvidia-tesla-p4", false),
    ("P100", "nvidia-tesla-p100", false),
    ("L4_VWS", "nvidia-l4-vws", false),
];

/// Partitions that flyte knows, by device.
const PARTITIONS: [(&str, [&str; 5]); 2] = [
    ("A100", ["1g.5gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb"]),
    ("A100_80GB", ["1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"]),
];

/// TPUs, called the same on both, with the same slices.
const TPUS: [&str; 3] = ["V5E", "V5P", "V6E"];

/// `accelerator=` of a decorator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accelerator {
    /// Where it stands.
    pub(super) range: TextRange,
    device: Device,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Device {
    /// A constant, with the part behind it: `A100.partition_1g_5gb`.
    Constant(String, Option<String>),
    /// `A100.partitioned("1g.5gb")`
    Partitioned(String, String),
    /// `GPUAccelerator("nvidia-l4")`
    Labeled(String),
}

/// Reads the value of `accelerator=`; `None` with a finding if it is not known.
pub(super) fn read(cx: &SettingContext<'_>, value: &Value, effects: &mut Effects) -> Option<Accelerator> {
    let device = device(cx, value, effects);
    if device.is_none() {
        effects.findings.push(
            Finding::new(
                &ACCELERATOR,
                value.range,
                Effect::Blocking,
                "`accelerator` is no constant of flytekit",
            )
            .help("Name the device in the resources of the environment by hand"),
        );
    }
    device.map(|device| Accelerator { range: value.range, device })
}

fn device(cx: &SettingContext<'_>, value: &Value, effects: &mut Effects) -> Option<Device> {
    let call = cx.module.calls.iter().find(|call| call.range == value.range);
    let place = call.map_or(value.range, |call| call.callee);
    let Symbol::Other(path) = (cx.symbol)(place)? else { return None };
    let constant = path.strip_prefix("flytekit.extras.accelerators.")?;
    effects.consumed.push(place);
    let Some(call) = call else {
        let (name, part) =
            constant.split_once('.').map_or((constant, None), |(name, part)| (name, Some(part)));
        return Some(Device::Constant(name.to_owned(), part.map(str::to_owned)));
    };
    let [argument] = call.arguments.as_slice() else { return None };
    let text = argument.value.as_str()?.to_owned();
    match constant.split_once('.') {
        None if constant == "GPUAccelerator" => Some(Device::Labeled(text)),
        Some((name, "partitioned")) => Some(Device::Partitioned(name.to_owned(), text)),
        _ => None,
    }
}

/// The value of `gpu=` for `count` devices.
pub(super) fn map(
    cx: &SettingContext<'_>,
    accelerator: &Accelerator,
    count: u32,
    effects: &mut Effects,
) -> Option<String> {
    let text = match &accelerator.device {
        Device::Labeled(label) => Some(labeled(cx, label, count, effects)),
        Device::Partitioned(name, size) => partition(cx, name, size, count, effects),
        Device::Constant(name, part) => constant(cx, accelerator, name, part.as_deref(), count, effects),
    };
    if text.is_none() {
        effects.findings.push(
            Finding::new(
                &ACCELERATOR,
                accelerator.range,
                Effect::Blocking,
                format!("accelerator `{}` has no counterpart that is known", &cx.text[accelerator.range]),
            )
            .help("Name it with `flyte.GPU`, `flyte.TPU` or `flyte.Device` by hand"),
        );
    }
    text
}

fn constant(
    cx: &SettingContext<'_>,
    accelerator: &Accelerator,
    name: &str,
    part: Option<&str>,
    count: u32,
    effects: &mut Effects,
) -> Option<String> {
    if TPUS.contains(&name) {
        return tpu(cx, name, part, count, effects);
    }
    if let Some((_, label, label_differs)) = LABELED.iter().find(|(constant, ..)| *constant == name) {
        if part.is_some() {
            return None;
        }
        if *label_differs {
            effects.findings.push(Finding::new(
                &ACCELERATOR,
                accelerator.range,
                Effect::Info,
                format!("`{name}` keeps the node label `{label}` of Flyte 1; the name alone has another on Flyte 2"),
            ));
        }
        return Some(labeled(cx, label, count, effects));
    }
    match part {
        None => {}
        Some("unpartitioned") => effects.findings.push(
            Finding::new(
                &ACCELERATOR,
                accelerator.range,
                Effect::Unsafe,
                format!("`{name}.unpartitioned` asked for a whole device; Flyte 2 does not say so"),
            )
            .help("Make sure that the nodes are not partitioned"),
        ),
        Some(part) => {
            return partition(cx, name, &part.strip_prefix("partition_")?.replace('_', "."), count, effects);
        }
    }
    let (_, name, most) = NAMED.iter().find(|(constant, ..)| *constant == name)?;
    if count > *most {
        effects.uses.push("GPU");
        return Some(format!("{}({}, {count})", (cx.name)("GPU"), cx.style.string(name)));
    }
    Some(cx.style.string(&format!("{name}:{count}")))
}

fn labeled(cx: &SettingContext<'_>, label: &str, count: u32, effects: &mut Effects) -> String {
    effects.uses.push("Device");
    let (class, label) = (cx.style.string("GPU"), cx.style.string(label));
    format!("{}(quantity={count}, device_class={class}, device={label})", (cx.name)("Device"))
}

fn partition(
    cx: &SettingContext<'_>,
    name: &str,
    size: &str,
    count: u32,
    effects: &mut Effects,
) -> Option<String> {
    let (_, sizes) = PARTITIONS.iter().find(|(device, _)| *device == name)?;
    let (_, name, _) = NAMED.iter().find(|(constant, ..)| *constant == name)?;
    if !sizes.contains(&size) {
        return None;
    }
    effects.uses.push("GPU");
    Some(format!("{}({}, {count}, {})", (cx.name)("GPU"), cx.style.string(name), cx.style.string(size)))
}

/// flyte's `TPU` is one device; more are named like any other.
fn tpu(
    cx: &SettingContext<'_>,
    name: &str,
    part: Option<&str>,
    count: u32,
    effects: &mut Effects,
) -> Option<String> {
    let slice = match part {
        None => None,
        Some(part) => Some(cx.style.string(part.strip_prefix("slice_")?)),
    };
    let device = cx.style.string(name);
    if count == 1 {
        effects.uses.push("TPU");
        let slice = slice.map(|slice| format!(", {slice}")).unwrap_or_default();
        return Some(format!("{}({device}{slice})", (cx.name)("TPU")));
    }
    effects.uses.push("Device");
    let slice = slice.map(|slice| format!(", partition={slice}")).unwrap_or_default();
    let class = cx.style.string("TPU");
    Some(format!("{}(quantity={count}, device_class={class}, device={device}{slice})", (cx.name)("Device")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::scope::Module;
    use crate::python::style::Style;

    fn gpu(name: &str, part: Option<&str>, count: u32) -> Option<String> {
        let cx = SettingContext {
            text: "",
            module: &Module::default(),
            style: &Style { quote: '"', indent_unit: "    ".to_owned() },
            line_length: 88,
            name: &|name| format!("flyte.{name}"),
            constant: &|_| None,
            symbol: &|_| None,
            named: &|_| Vec::new(),
            addresses: &|_| Vec::new(),
        };
        let device = Device::Constant(name.to_owned(), part.map(str::to_owned));
        map(&cx, &Accelerator { range: TextRange::default(), device }, count, &mut Effects::default())
    }

    #[test]
    fn common_devices_are_named_in_a_string() {
        assert_eq!(gpu("T4", None, 1).as_deref(), Some("\"T4:1\""));
        assert_eq!(gpu("L40S", None, 2).as_deref(), Some("\"L40s:2\""));
        assert_eq!(gpu("A100", None, 16).as_deref(), Some("flyte.GPU(\"A100\", 16)"));
    }

    #[test]
    fn partitions_and_rare_devices_have_classes() {
        assert_eq!(
            gpu("A100", Some("partition_1g_5gb"), 1).as_deref(),
            Some("flyte.GPU(\"A100\", 1, \"1g.5gb\")")
        );
        assert_eq!(
            gpu("K80", None, 1).as_deref(),
            Some("flyte.Device(quantity=1, device_class=\"GPU\", device=\"nvidia-tesla-k80\")")
        );
        assert_eq!(gpu("V5E", Some("slice_2x2"), 1).as_deref(), Some("flyte.TPU(\"V5E\", \"2x2\")"));
    }

    #[test]
    fn what_is_not_known_is_left() {
        assert_eq!(gpu("A100", Some("partition_9g_9gb"), 1), None);
        assert_eq!(gpu("T4", Some("partition_1g_5gb"), 1), None);
    }
}
