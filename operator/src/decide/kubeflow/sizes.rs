//! Sizes of pods: Spark's texts for memory, and what of them a pod requests.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::fields::{Fields, Refused};

/// What Spark adds for memory outside of the heap at least.
const LEAST_OVERHEAD: i64 = 384;

/// Mebibytes of Spark's text, such as `4g`, `512m` or `1024` (mebibytes). Its units are binary, and it rounds up here.
pub(super) fn mebibytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: i64 = digits.parse().ok().filter(|number| *number > 0)?;
    let unit = text.strip_prefix(digits)?;
    match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b').filter(|unit| !unit.is_empty())).unwrap_or(unit) {
        "k" => Some(number.checked_add(1023)? / 1024),
        "m" | "" => Some(number),
        "g" => number.checked_mul(1024),
        "t" => number.checked_mul(1024 * 1024),
        _ => None,
    }
}

/// Whether a text is a quantity of CPU, such as `1`, `0.5` or `500m`.
fn is_cpu(text: &str) -> bool {
    text.strip_suffix('m').unwrap_or(text).parse::<f64>().is_ok_and(|value| value > 0.0 && value.is_finite())
}

/// The size of a pod.
#[derive(Debug, Clone)]
pub(super) struct Size {
    /// Tasks at once.
    pub(super) cores: i32,
    pub(super) resources: ResourceRequirements,
}

/// Reads the fields of a driver or executor. All memory of the pod is of use to Firesteel: there is no heap apart.
pub(super) fn size(fields: &mut Fields, factor: f64) -> Result<Size, Refused> {
    let memory = |fields: &mut Fields, key: &str| -> Result<Option<i64>, Refused> {
        let Some(text) = fields.take::<String>(key)? else { return Ok(None) };
        let why = format!("'{text}' is no size of memory, such as 4g or 512m");
        mebibytes(&text).map(Some).ok_or_else(|| fields.refuse(key, &why))
    };
    let cpu = |fields: &mut Fields, key: &str| -> Result<Option<String>, Refused> {
        let Some(text) = fields.take::<String>(key)? else { return Ok(None) };
        if is_cpu(&text) { Ok(Some(text)) } else { Err(fields.refuse(key, &format!("'{text}' is no quantity of CPU"))) }
    };
    let cores: i32 = fields.take("cores")?.unwrap_or(1);
    if !(1..=1024).contains(&cores) {
        return Err(fields.refuse("cores", "must be from 1 to 1024"));
    }
    let heap = memory(fields, "memory")?.unwrap_or(1024);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "sizes of memory in mebibytes are small"
    )]
    let share = (heap as f64 * factor).ceil() as i64;
    let overhead = memory(fields, "memoryOverhead")?.unwrap_or(share.max(LEAST_OVERHEAD));
    let total = heap.saturating_add(overhead);
    let limit = memory(fields, "memoryLimit")?.unwrap_or(total);
    if limit < total {
        let why = format!("{limit}Mi is less than memory and its overhead, which are {total}Mi");
        return Err(fields.refuse("memoryLimit", &why));
    }
    let request = cpu(fields, "coreRequest")?.unwrap_or_else(|| cores.to_string());
    let quantity = |name: &str, text: String| (name.to_owned(), Quantity(text));
    let mut limits = BTreeMap::from([quantity("memory", format!("{limit}Mi"))]);
    limits.extend(cpu(fields, "coreLimit")?.map(|limit| quantity("cpu", limit)));
    let requests = BTreeMap::from([quantity("cpu", request), quantity("memory", format!("{total}Mi"))]);
    let resources =
        ResourceRequirements { requests: Some(requests), limits: Some(limits), ..ResourceRequirements::default() };
    Ok(Size { cores, resources })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sized(value: Value) -> Result<(i32, Value), Refused> {
        let size = size(&mut Fields::of("spec.executor", &value).unwrap(), 0.4)?;
        Ok((size.cores, serde_json::to_value(size.resources).unwrap()))
    }

    #[test]
    fn units_are_sparks_and_not_those_of_kubernetes() {
        let cases = [
            ("512m", 512),
            ("4g", 4096),
            ("4GB", 4096),
            ("1t", 1 << 20),
            ("2048k", 2),
            ("1k", 1),
            ("700", 700),
            ("1GiB", 1024),
        ];
        for (text, mebi) in cases {
            assert_eq!(mebibytes(text), Some(mebi), "{text}");
        }
        for text in ["", "g", "0g", "-1g", "1.5g", "1x", "1gg", "4 g"] {
            assert_eq!(mebibytes(text), None, "{text}");
        }
    }

    #[test]
    fn a_pod_requests_the_memory_with_its_overhead() {
        let plain = json!({"requests": {"cpu": "1", "memory": "1434Mi"}, "limits": {"memory": "1434Mi"}});
        assert_eq!(sized(json!({})).unwrap(), (1, plain));
        let small = sized(json!({"memory": "512m", "cores": 2})).unwrap();
        assert_eq!((small.0, &small.1["requests"]["memory"]), (2, &json!("896Mi")));
        let all = json!({"cores": 3, "coreRequest": "500m", "coreLimit": "1200m", "memory": "2g", "memoryOverhead": "1g", "memoryLimit": "4g"});
        let expected =
            json!({"requests": {"cpu": "500m", "memory": "3072Mi"}, "limits": {"cpu": "1200m", "memory": "4096Mi"}});
        assert_eq!(sized(all).unwrap(), (3, expected));
    }

    #[test]
    fn what_cannot_be_is_told_with_its_field() {
        for (value, sentence) in [
            (json!({"memory": "lots"}), "spec.executor.memory: 'lots'"),
            (json!({"memory": "2g", "memoryLimit": "1g"}), "spec.executor.memoryLimit: 1024Mi is less"),
            (json!({"cores": 0}), "spec.executor.cores: must be"),
            (json!({"coreLimit": "x"}), "spec.executor.coreLimit: 'x'"),
        ] {
            let told = sized(value).unwrap_err().0;
            assert!(told.starts_with(sentence), "{told}");
        }
    }
}
