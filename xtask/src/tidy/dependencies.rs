//! Which crate may depend on which, checked over `cargo metadata`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

/// A crate of ours and the crates of ours it may depend on. A crate that is not listed is a mistake.
const EDGES: &[(&str, &[&str])] = &[
    ("functions", &[]),
    ("connectors", &[]),
    ("proto", &[]),
    ("service", &[]),
    ("engine", &["functions", "connectors", "service"]),
    ("spark", &["engine", "functions", "connectors", "service"]),
    ("connect", &["spark", "engine", "functions", "proto", "service"]),
    ("flight", &["spark", "engine", "functions", "service"]),
    ("scheduler", &["connect", "flight", "spark", "engine", "functions", "connectors", "service"]),
    ("executor", &["engine", "functions", "connectors", "service"]),
    ("operator", &[]),
    ("cli", &["connect", "spark", "scheduler", "executor", "engine", "service"]),
    ("xtask", &[]),
    ("pins", &[]),
];

/// An external crate (by prefix) and the only crates of ours that may name it.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("kube", &["operator"]),
    ("k8s-openapi", &["operator"]),
    ("ballista-flight-sql", &["flight"]),
    ("ballista", &["scheduler", "executor"]),
    ("tonic-prost", &["proto"]),
    ("axum", &["scheduler", "operator"]),
    ("tokio-postgres", &["connectors"]),
    ("clap", &["cli", "operator", "xtask"]),
    ("anyhow", &["cli", "operator", "xtask"]),
];

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    anyhow::ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    Ok(packages.iter().flat_map(|package| problems(&short(package), &dependencies(package))).collect())
}

fn short(package: &Value) -> String {
    package["name"].as_str().unwrap_or_default().trim_start_matches("firesteel-").to_string()
}

/// Names of dependencies; development ones are free.
fn dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|d| d["kind"] != "dev").filter_map(|d| d["name"].as_str().map(str::to_string)).collect()
}

fn problems(name: &str, dependencies: &[String]) -> Vec<String> {
    let edges: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let Some(allowed) = edges.get(name) else {
        return vec![format!("crate '{name}' has no entry in xtask's list of dependency edges")];
    };
    let mut found = vec![];
    for dependency in dependencies {
        if let Some(ours) = dependency.strip_prefix("firesteel-") {
            // Every crate names the pins: they hold features, no code.
            if ours != "pins" && !allowed.contains(&ours) {
                found.push(format!("crate '{name}' may not depend on '{ours}'"));
            }
        } else if name != "pins"
            && let Some((_, owners)) = WRAPPERS.iter().find(|(prefix, _)| dependency.starts_with(prefix))
            && !owners.contains(&name)
        {
            found.push(format!("crate '{name}' may not name '{dependency}', only {} may", owners.join(", ")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executor_must_not_know_spark_or_kubernetes() {
        let found = problems("executor", &["firesteel-spark".into(), "kube".into(), "ballista-executor".into()]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_crate_without_an_entry_is_found() {
        assert_eq!(problems("utils", &[]).len(), 1);
    }
}
