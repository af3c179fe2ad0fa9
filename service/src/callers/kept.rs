//! Reviews for as long as they hold. Strangers have a place of their own, so that nobody who makes tokens up drives others out.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Review;
use crate::tokens::TokenDigest;

/// How long somebody is known.
const KNOWN: Duration = Duration::from_secs(60);
/// How long somebody is refused, who may be given rights meanwhile.
const REFUSED: Duration = Duration::from_secs(10);
/// Reviews of each sort.
const PLACES: usize = 4096;

type Entries = HashMap<TokenDigest, (Review, Instant)>;

#[derive(Debug, Default)]
pub(super) struct Kept {
    known: Entries,
    refused: Entries,
}

impl Kept {
    /// The review of a token, if it holds now.
    pub(super) fn get(&self, digest: &TokenDigest, now: Instant) -> Option<Review> {
        let found = self.known.get(digest).or_else(|| self.refused.get(digest));
        found.filter(|(_, until)| now < *until).map(|(review, _)| review.clone())
    }

    /// Keeps a review that was asked for at a time.
    pub(super) fn put(&mut self, digest: TokenDigest, review: &Review, asked: Instant) {
        self.known.remove(&digest);
        self.refused.remove(&digest);
        let (entries, time) = match review {
            Review::Known { good_for, .. } => {
                let left = good_for.map_or(KNOWN, Duration::from_secs);
                (&mut self.known, left.min(KNOWN))
            }
            Review::Stranger | Review::Powerless { .. } => (&mut self.refused, REFUSED),
        };
        make_room(entries, asked);
        entries.insert(digest, (review.clone(), asked + time));
    }
}

/// Drops what does not hold any more, and then what would first.
fn make_room(entries: &mut Entries, now: Instant) {
    if entries.len() < PLACES {
        return;
    }
    entries.retain(|_, (_, until)| now < *until);
    if entries.len() < PLACES {
        return;
    }
    let mut ends: Vec<Instant> = entries.values().map(|(_, until)| *until).collect();
    ends.sort_unstable();
    // An eighth at once, so that a full house is not sorted for every guest.
    if let Some(limit) = ends.get(PLACES / 8) {
        entries.retain(|_, (_, until)| *until > *limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::{Caller, Role, digest};

    fn known(good_for: Option<u64>) -> Review {
        Review::Known { caller: Caller { name: "ann".into(), role: Role::User }, good_for }
    }

    #[test]
    fn a_review_holds_for_a_minute_at_most_and_never_beyond_the_token() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        for (token, review, holds) in [
            ("long", known(None), 60_u64),
            ("hour", known(Some(3600)), 60),
            ("short", known(Some(7)), 7),
            ("over", known(Some(0)), 0),
            ("bad", Review::Stranger, 10),
            ("weak", Review::Powerless { name: "bob".into() }, 10),
        ] {
            kept.put(digest(token), &review, now);
            let before = holds.checked_sub(1).and_then(|last| kept.get(&digest(token), at(last)));
            assert_eq!(before, (holds > 0).then_some(review), "{token}");
            assert_eq!(kept.get(&digest(token), at(holds)), None, "{token}");
        }
    }

    #[test]
    fn what_is_said_later_counts() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        kept.put(digest("t"), &known(None), now);
        kept.put(digest("t"), &Review::Stranger, now);
        assert_eq!(kept.get(&digest("t"), now), Some(Review::Stranger));
        kept.put(digest("t"), &known(None), now);
        assert_eq!(kept.get(&digest("t"), now), Some(known(None)));
    }

    #[test]
    fn places_are_few_and_strangers_take_none_of_others() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        kept.put(digest("ann"), &known(None), now);
        for number in 0..3 * PLACES {
            let later = now + Duration::from_micros(number as u64);
            kept.put(digest(&number.to_string()), &Review::Stranger, later);
            assert!(kept.refused.len() <= PLACES);
        }
        assert_eq!(kept.get(&digest("ann"), now), Some(known(None)));
        assert_eq!(kept.get(&digest(&(3 * PLACES - 1).to_string()), now), Some(Review::Stranger));
    }
}
