//! Signs on doors, sizes of rooms, names that say nothing, paths of one machine.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// A file longer than this needs a reason in its `//!`: a line with the words "long because".
const SOFT_LIMIT: usize = 400;
const EMPTY_NAMES: &[&str] = &["common", "util", "utils", "core", "helpers", "misc"];

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found = vec![];
    for name in listed.lines() {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else { continue };
        if name.ends_with(".rs") {
            found.extend(rust(name, &text));
        }
        if !name.ends_with(".lock") && !name.starts_with("xtask/") {
            found.extend(machine_paths(name, &text));
        }
    }
    Ok(found)
}

fn rust(name: &str, text: &str) -> Vec<String> {
    let mut found = vec![];
    if !text.starts_with("//!") {
        found.push(format!("{name}: the first line must be a `//!` that says what the file is for"));
    }
    let lines = text.lines().count();
    if lines > SOFT_LIMIT && !text.lines().take_while(|l| l.starts_with("//!")).any(|l| l.contains("long because")) {
        found.push(format!("{name}: {lines} lines; split it, or say in its `//!` why it is \"long because ...\""));
    }
    let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        found.push(format!("{name}: a name that says nothing"));
    }
    if stem == "mod" {
        found.push(format!("{name}: use foo.rs beside foo/ instead of mod.rs"));
    }
    found
}

/// Nothing names a place that exists on one machine only.
fn machine_paths(name: &str, text: &str) -> Vec<String> {
    let marks = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/home/", "runner")];
    text.lines()
        .enumerate()
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)))
        .map(|(i, _)| format!("{name}:{}: a path of one machine", i + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_sign_and_with_an_empty_name_is_found_twice() {
        assert_eq!(rust("a/utils.rs", "fn main() {}").len(), 2);
        assert_eq!(rust("a/store.rs", "//! Stores.\n").len(), 0);
    }

    #[test]
    fn long_files_need_a_reason() {
        let long = "//! x\n".to_string() + &"\n".repeat(500);
        assert_eq!(rust("a/b.rs", &long).len(), 1);
        let reasoned = "//! x; long because it is a table\n".to_string() + &"\n".repeat(500);
        assert_eq!(rust("a/b.rs", &reasoned).len(), 0);
    }
}
