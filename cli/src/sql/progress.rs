//! The progress bar: tasks done of tasks known, stages and time, on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::ProgressWhen;
use crate::print;

/// Without a terminal, at most one line in this time.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Progress of one statement.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    last_line: Instant,
}

impl Progress {
    /// Starts showing progress, where and when it is wanted.
    pub(crate) fn start(when: ProgressWhen) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && when != ProgressWhen::Never).then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{spinner} {elapsed_precise} [{bar:32}] {pos}/{len} tasks {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar
        });
        Self { bar, lines: !terminal && when == ProgressWhen::Always, last_line: Instant::now() }
    }

    /// Shows how far it is.
    pub(crate) fn update(&mut self, done: i64, total: i64, stages: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(u64::try_from(total).unwrap_or(0));
            bar.set_position(u64::try_from(done).unwrap_or(0));
            bar.set_message(format!("in {stages} stages"));
            bar.tick();
        } else if self.lines && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            print::note(&format!("progress: {done}/{total} tasks in {stages} stages"));
        }
    }

    /// Clears the bar, so that rows can be printed.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
