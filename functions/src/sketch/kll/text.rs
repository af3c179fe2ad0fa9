//! The summary of a KLL sketch as text.

use super::Kll;
use super::item::Item;

impl<T: Item> Kll<T> {
    /// What `kll_sketch_to_string_*` shows.
    pub(super) fn summary(&self) -> String {
        let k = f64::from(self.least_k);
        let percent = |error: f64| format!("{:.3}%", error * 100.0);
        let (least, greatest) =
            self.ends.map_or_else(|| ("NaN".to_string(), "NaN".to_string()), |(a, b)| (a.text(), b.text()));
        let (capacity, retained) = (self.capacity(), self.retained());
        let rows = [
            ("K", self.k.to_string()),
            ("Dynamic min K", self.least_k.to_string()),
            ("M", super::LEAST_CAPACITY.to_string()),
            ("N", self.count.to_string()),
            ("Epsilon", percent(2.296 / k.powf(0.9723))),
            ("Epsilon PMF", percent(2.446 / k.powf(0.9433))),
            ("Empty", (self.count == 0).to_string()),
            ("Estimation Mode", (self.levels.len() > 1).to_string()),
            ("Levels", self.levels.len().to_string()),
            ("Level 0 Sorted", "false".to_string()),
            ("Capacity Items", capacity.to_string()),
            ("Retained Items", retained.to_string()),
            ("Free Space", capacity.saturating_sub(retained).to_string()),
            ("ReadOnly", "false".to_string()),
            ("Updatable Storage Bytes", self.updatable_size().to_string()),
            ("Compact Storage Bytes", self.compact_size().to_string()),
            ("Min Item", least),
            ("Max Item", greatest),
        ];
        let lines: String = rows.iter().map(|(name, value)| format!("   {name:<23}: {value}\n")).collect();
        format!("\n### KllKll{}Sketch Summary:\n{lines}### End sketch summary\n", T::NAME)
    }
}
