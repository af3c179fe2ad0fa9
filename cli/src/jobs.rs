//! `firesteel jobs`: jobs of a server or cluster by its REST door, for people and scripts.

mod client;
mod show;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use crate::args::{Jobs, JobsCommand, NewJob};
use crate::{print, sql};
use client::Client;

/// The time of `wait` is over, as with timeout(1).
const TOO_LATE: u8 = 124;
/// Pauses between looks at a job: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Runs the command.
pub(crate) async fn run(args: Jobs) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.rest, args.token.as_deref())?;
    match args.command {
        JobsCommand::Submit(new) => {
            let wait = new.wait;
            let id = new.id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
            let mut job = client.submit(&id, &request(new)?).await?;
            let mut code = ExitCode::SUCCESS;
            if wait {
                (job, code) = ended(&client, &id, None).await?;
            }
            show::one(&job, args.output)?;
            Ok(code)
        }
        JobsCommand::List => {
            show::all(&client.list().await?, args.output)?;
            Ok(ExitCode::SUCCESS)
        }
        JobsCommand::Get { id } => {
            show::one(&client.get(&id).await?, args.output)?;
            Ok(ExitCode::SUCCESS)
        }
        JobsCommand::Cancel { id } => {
            show::one(&client.cancel(&id).await?, args.output)?;
            Ok(ExitCode::SUCCESS)
        }
        JobsCommand::Log { id, follow } => log(&client, &id, follow).await,
        JobsCommand::Wait { id, timeout } => {
            let (job, code) = ended(&client, &id, timeout.map(Duration::from_secs)).await?;
            show::one(&job, args.output)?;
            Ok(code)
        }
    }
}

/// The body of a submission.
fn request(new: NewJob) -> anyhow::Result<Value> {
    let sql = new.file.as_deref().map(sql::read).transpose()?;
    Ok(json!({
        "sql": sql,
        "uri": new.uri,
        "parameters": pairs(&new.params, "--param", "NAME=VALUE")?,
        "conf": pairs(&new.conf, "--conf", "KEY=VALUE")?,
        "timeout_seconds": new.timeout,
    }))
}

fn pairs(texts: &[String], flag: &str, form: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for text in texts {
        let Some((key, value)) = text.split_once('=') else { bail!("bad {flag} '{text}': expected {form}") };
        if all.insert(key.to_owned(), value.to_owned()).is_some() {
            bail!("{flag} gives '{key}' twice");
        }
    }
    Ok(all)
}

/// Prints the log, and what comes to it while it is followed.
async fn log(client: &Client, id: &str, follow: bool) -> anyhow::Result<ExitCode> {
    let mut printed = 0;
    let mut pause = PAUSES.0;
    loop {
        // The job is asked for first: what it logged until its end is in the log that is read after it.
        let over = !follow || is_final(&client.get(id).await?);
        let text = client.log(id).await?;
        for line in text.lines().skip(printed) {
            print::line(line)?;
            pause = PAUSES.0;
        }
        printed = text.lines().count();
        if over {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// The job once it has ended, or as it is when the time is over, and the status to exit with.
async fn ended(client: &Client, id: &str, timeout: Option<Duration>) -> anyhow::Result<(Value, ExitCode)> {
    let begun = Instant::now();
    let mut pause = PAUSES.0;
    loop {
        let job = client.get(id).await?;
        if is_final(&job) {
            let code = if state(&job) == "succeeded" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            if let Some(message) = job.pointer("/error/message").and_then(Value::as_str) {
                print::error(message);
            }
            return Ok((job, code));
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            print::error(&format!("job '{id}' is still {}", state(&job)));
            return Ok((job, ExitCode::from(TOO_LATE)));
        }
        tokio::time::sleep(left.map_or(pause, |left| pause.min(left))).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn state(job: &Value) -> &str {
    job.get("state").and_then(Value::as_str).unwrap_or("unknown")
}

fn is_final(job: &Value) -> bool {
    !matches!(state(job), "queued" | "running")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_at_the_first_sign_and_given_once() {
        let given =
            |texts: &[&str]| pairs(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>(), "--param", "N=V");
        assert_eq!(
            given(&["a=b=c", "d="]).unwrap(),
            BTreeMap::from([("a".into(), "b=c".into()), ("d".into(), String::new())])
        );
        assert!(given(&["a"]).is_err());
        assert!(given(&["a=1", "a=2"]).unwrap_err().to_string().contains("twice"));
    }
}
