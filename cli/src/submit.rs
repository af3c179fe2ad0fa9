//! `firesteel submit`: runs a SQL file as a job, statement by statement, and stops at the first error.

use std::process::ExitCode;

use anyhow::bail;

use crate::args::Submit;
use crate::sql::{self, Style};

/// Runs the job.
pub(crate) async fn run(args: Submit) -> anyhow::Result<ExitCode> {
    let text = substitute(&sql::read(&args.file)?, &args.params)?;
    let connection = sql::open(&args.target).await?;
    let style = Style { format: args.format, max_rows: 100, progress: args.target.progress, echo: true };
    let outcome = sql::run_script(&connection, &text, &style, sql::OnError::Stop).await?;
    connection.close().await;
    Ok(outcome)
}

/// Replaces `${NAME}`; a name without a value is an error, so that a forgotten parameter never becomes text.
fn substitute(text: &str, params: &[String]) -> anyhow::Result<String> {
    let mut out = text.to_string();
    for param in params {
        let Some((name, value)) = param.split_once('=') else { bail!("bad parameter '{param}': expected NAME=VALUE") };
        let marker = format!("${{{name}}}");
        if !out.contains(&marker) {
            bail!("parameter '{name}' is not used in the file");
        }
        out = out.replace(&marker, value);
    }
    if !params.is_empty()
        && let Some(missing) = out.split("${").nth(1).and_then(|rest| rest.split('}').next())
    {
        bail!("the file uses '${{{missing}}}' but no --param gives it a value");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_replace_their_markers_and_none_is_forgotten() {
        let given = |p: &[&str]| p.iter().map(|s| (*s).to_string()).collect::<Vec<_>>();
        assert_eq!(substitute("a ${x} ${x}", &given(&["x=1"])).unwrap(), "a 1 1");
        assert!(substitute("a ${x} ${y}", &given(&["x=1"])).is_err());
        assert!(substitute("a", &given(&["x=1"])).is_err());
        assert_eq!(substitute("a ${x}", &[]).unwrap(), "a ${x}");
    }
}
