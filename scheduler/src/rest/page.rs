//! The page for people: what runs where. Plain HTML without scripts; it reloads itself.

use std::fmt::Write;

use super::{Executor, Job, Rest};

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
<meta http-equiv=refresh content=5><title>Firesteel</title><style>\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ddd}\
td{overflow-wrap:anywhere}.failed{color:#b00020}.running{color:#0057b8}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}.failed{color:#ff8a80}.running{color:#80b8ff}}\
</style>";

pub(super) fn render(rest: &Rest, executors: &[Executor], jobs: &[Job]) -> String {
    let mut html = String::from(HEAD);
    let up = rest.started.elapsed().as_secs();
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<h1>Firesteel</h1><p>Version {} &middot; up {}h {}m {}s &middot; query memory here {} MiB</p>",
        env!("CARGO_PKG_VERSION"),
        up / 3600,
        up / 60 % 60,
        up % 60,
        rest.memory_limit >> 20
    );
    if rest.coordinator.is_none() {
        let _ = write!(html, "<p>All in one process, {} threads for queries.</p>", rest.cores);
        return html;
    }
    html.push_str("<h2>Executors</h2><table><tr><th>Id<th>Host<th>Cores</tr>");
    for executor in executors {
        let (id, host) = (escaped(&executor.id), escaped(&executor.host));
        let _ = write!(html, "<tr><td>{id}<td>{host}:{}<td>{}</tr>", executor.data_port, executor.cores);
    }
    html.push_str("</table><h2>Jobs</h2><table><tr><th>Id<th>Name<th>Status<th>Stages</tr>");
    for job in jobs.iter().take(200) {
        let (id, name) = (escaped(&job.id), escaped(&job.name));
        let (status, done, all) = (job.status, job.completed_stages, job.stages);
        let _ = write!(html, "<tr><td>{id}<td>{name}<td class={status}>{status}<td>{done}/{all}</tr>");
    }
    html.push_str("</table>");
    html
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_jobs_cannot_add_markup() {
        assert_eq!(escaped("<b>'x' & \"y\"</b>"), "&lt;b&gt;&#39;x&#39; &amp; &quot;y&quot;&lt;/b&gt;");
    }
}
