use super::finding::Finding;
use std::collections::{HashMap, HashSet};

/// The most findings of one kind that are shown of a message: a map of 34 KB can break one rule 32,000 times.
const SHOWN: usize = 20;

/// The findings of a message, each once, in the order in which they were made.
#[derive(Default)]
pub struct Findings {
    shown: Vec<Finding>,
    known: HashSet<(String, Option<&'static str>)>,
    /// How often each kind was found, and the first of its kind that is left out.
    kinds: HashMap<Kind, (usize, Option<Finding>)>,
    deviations: usize,
}

/// What is said, without its numbers, and where the rule is from.
type Kind = (String, Option<&'static str>);

impl Findings {
    /// Adds what was not found before.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if self.known.insert((finding.what.clone(), finding.clause)) {
                self.deviations += usize::from(finding.severity.is_deviation());
                self.count(finding);
            }
        }
    }

    /// Deviations from the specification, whatever comes of them, also those that are left out.
    pub fn deviations(&self) -> usize {
        self.deviations
    }

    /// What is told: of each kind the first ones, and at the end how many more there are.
    pub fn told(&self) -> Vec<Finding> {
        let mut left_out: Vec<_> =
            self.kinds.values().filter_map(|(count, first)| Some((count, first.as_ref()?))).collect();
        left_out.sort_by(|(_, one), (_, other)| one.what.cmp(&other.what));
        let rest = left_out.into_iter().map(|(count, first)| {
            let what = match count - SHOWN - 1 {
                0 => first.what.clone(),
                more => format!("{} (and {more} more of this kind)", first.what),
            };
            Finding { what, ..first.clone() }
        });
        self.shown.iter().cloned().chain(rest).collect()
    }

    fn count(&mut self, finding: Finding) {
        let kind = (finding.what.replace(|letter: char| letter.is_ascii_digit(), ""), finding.clause);
        let (count, left_out) = self.kinds.entry(kind).or_default();
        *count += 1;
        if *count <= SHOWN {
            self.shown.push(finding);
        } else if left_out.is_none() {
            *left_out = Some(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(what: String) -> Finding {
        Finding::contradiction(what, "RFC 6043 6.1.1")
    }

    #[test]
    fn each_is_told_once_and_of_a_kind_the_first_ones() {
        let mut findings = Findings::default();
        findings.add((0..SHOWN + 3).map(|number| finding(format!("crypto session {number} is there twice"))));
        findings.add([finding("crypto session 3 is there twice".into()), finding("something else".into())]);
        let told: Vec<String> = findings.told().into_iter().map(|finding| finding.what).collect();
        assert_eq!(told.len(), SHOWN + 2);
        assert_eq!(
            told[SHOWN - 1..],
            [
                "crypto session 19 is there twice",
                "something else",
                "crypto session 20 is there twice (and 2 more of this kind)",
            ]
        );
        assert_eq!(findings.deviations(), SHOWN + 4);
    }
}
