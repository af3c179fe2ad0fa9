//! Proposals for misspelt names, ordered by edit distance. It knows strings only.

/// Names ordered by likeness to what was asked for, at most five, quoted and joined.
pub(super) fn proposals(asked: &str, candidates: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut ranked: Vec<(usize, String)> = Vec::new();
    let asked = asked.to_lowercase();
    let candidates: Vec<Vec<String>> = candidates.into_iter().collect();
    // Qualifiers that all candidates share say nothing.
    let shared = shared_prefix(&candidates);
    let single = !asked.contains('.');
    for parts in &candidates {
        let shown = if single { parts.get(shared..).unwrap_or(parts) } else { parts.as_slice() };
        let distance = levenshtein(&asked, &shown.join(".").to_lowercase());
        let quoted = shown.iter().map(|p| format!("`{}`", p.replace('`', "``"))).collect::<Vec<_>>().join(".");
        if !ranked.iter().any(|(_, known)| *known == quoted) {
            ranked.push((distance, quoted));
        }
    }
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.into_iter().take(5).map(|(_, quoted)| quoted).collect::<Vec<_>>().join(", ")
}

fn shared_prefix(candidates: &[Vec<String>]) -> usize {
    let Some(first) = candidates.first() else { return 0 };
    let qualifier = first.len().saturating_sub(1);
    let same = candidates.iter().all(|c| c.len() == first.len() && c.get(..qualifier) == first.get(..qualifier));
    if same { qualifier } else { 0 }
}

fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (j, y) in b.iter().enumerate() {
            let up = row.get(j + 1).copied().unwrap_or_default();
            let next = (diagonal + usize::from(x != *y)).min(up + 1).min(left + 1);
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            diagonal = up;
            left = next;
        }
        if let Some(cell) = row.last_mut() {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn distance() {
        assert_eq!(super::levenshtein("kitten", "sitting"), 3);
        assert_eq!(super::levenshtein("", "abc"), 3);
        assert_eq!(super::levenshtein("abc", "abc"), 0);
    }
}
