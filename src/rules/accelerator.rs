//! `accelerator=T4` becomes a part of `gpu` in `flyte.Resources`.
//!
//! flyte 2.12.1 names common devices in a string with their number, `"T4:1"`; for others, for partitions and for
//! larger numbers it has classes. The label that reaches the cluster must stay the same.

use super::codes::ACCELERATOR;
use super::{Effect, Finding};
use crate::python::style::Style;
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

/// The value of `gpu=` and the name of flyte that it uses.
pub(super) struct Gpu {
    /// The expression.
    pub(super) text: String,
    /// `GPU` or `Device`, if the expression calls it.
    pub(super) uses: Option<&'static str>,
}

/// Maps the constant at a dotted path of `flytekit.extras.accelerators` with `count` devices.
pub(super) fn map(
    style: &Style,
    prefix: &str,
    path: &str,
    count: u32,
    range: TextRange,
    findings: &mut Vec<Finding>,
) -> Option<Gpu> {
    let constant = path.strip_prefix("flytekit.extras.accelerators.")?;
    let (name, partition) = match constant.split_once('.') {
        Some((name, partition)) => (name, Some(partition.strip_prefix("partition_")?)),
        None => (constant, None),
    };
    if let Some((_, device, label_differs)) = LABELED.iter().find(|(constant, ..)| *constant == name) {
        if partition.is_some() {
            return None;
        }
        if *label_differs {
            findings.push(Finding::new(
                &ACCELERATOR,
                range,
                Effect::Info,
                format!("`{name}` keeps the node label `{device}` of Flyte 1; the name alone has another on Flyte 2"),
            ));
        }
        let (class, device) = (style.string("GPU"), style.string(device));
        let text = format!("{prefix}Device(quantity={count}, device_class={class}, device={device})");
        return Some(Gpu { text, uses: Some("Device") });
    }
    let (_, name, most) = NAMED.iter().find(|(constant, ..)| *constant == name)?;
    if let Some(partition) = partition {
        let text = format!(
            "{prefix}GPU({}, {count}, {})",
            style.string(name),
            style.string(&partition.replace('_', "."))
        );
        return Some(Gpu { text, uses: Some("GPU") });
    }
    if count > *most {
        return Some(Gpu {
            text: format!("{prefix}GPU({}, {count})", style.string(name)),
            uses: Some("GPU"),
        });
    }
    Some(Gpu { text: style.string(&format!("{name}:{count}")), uses: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(constant: &str, count: u32) -> Option<String> {
        let style = Style { quote: '"', indent_unit: "    ".to_owned() };
        let path = format!("flytekit.extras.accelerators.{constant}");
        map(&style, "flyte.", &path, count, TextRange::default(), &mut Vec::new()).map(|gpu| gpu.text)
    }

    #[test]
    fn common_devices_are_named_in_a_string() {
        assert_eq!(gpu("T4", 1).as_deref(), Some("\"T4:1\""));
        assert_eq!(gpu("L40S", 2).as_deref(), Some("\"L40s:2\""));
        assert_eq!(gpu("A100", 16).as_deref(), Some("flyte.GPU(\"A100\", 16)"));
    }

    #[test]
    fn partitions_and_rare_devices_have_classes() {
        assert_eq!(gpu("A100.partition_1g_5gb", 1).as_deref(), Some("flyte.GPU(\"A100\", 1, \"1g.5gb\")"));
        assert_eq!(
            gpu("K80", 1).as_deref(),
            Some("flyte.Device(quantity=1, device_class=\"GPU\", device=\"nvidia-tesla-k80\")")
        );
    }

    #[test]
    fn what_is_not_known_is_left() {
        assert_eq!(gpu("A100.unpartitioned", 1), None);
        assert_eq!(gpu("GPUAccelerator", 1), None);
    }
}
