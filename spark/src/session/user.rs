//! Who a session runs for when its client does not say: the user this process belongs to, as in Spark.

/// The user of a session whose client calls it `given`.
pub(super) fn effective(given: &str) -> String {
    if given.is_empty() { process_user().unwrap_or_default() } else { given.to_string() }
}

fn process_user() -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("SPARK_USER").or_else(account).or_else(|| set("USER"))
}

/// The name of the account, from the files of the system.
fn account() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let id = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?;
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, number) = (parts.next()?, parts.nth(1)?);
        (number == id).then(|| name.to_string())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_client_that_says_nothing_is_the_user_of_the_process() {
        assert_eq!(super::effective("someone"), "someone");
        assert!(!super::effective("").is_empty());
    }
}
