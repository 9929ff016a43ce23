//! Searches for words, and what they must find: worked out from the lines themselves, by comparing words one by one.

use std::collections::VecDeque;

use crate::lines::Line;
use crate::said::{PAYMENT, WARN, customer};
use crate::spans::SERVICES;

/// Lines that a search is to find: the newest.
pub(crate) const WANTED: usize = 50;
/// Different words of kinds that have many.
const DIFFERENT: u32 = 40;

/// Searches of one kind.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Whether it must keep the floor.
    pub(crate) is_bound: bool,
    pub(crate) questions: Vec<Question>,
}

/// One search.
#[derive(Debug)]
pub(crate) struct Question {
    /// As in a URL.
    pub(crate) query: String,
    /// One after the other, in the body.
    phrase: Vec<String>,
    /// Another word anywhere in the body.
    also: Option<String>,
    service: Option<usize>,
    severity: Option<i32>,
    /// Times of the newest lines that meet it, oldest first.
    pub(crate) newest: VecDeque<u64>,
    met: usize,
}

impl Question {
    fn new(query: String, phrase: &[&str]) -> Self {
        let phrase = phrase.iter().map(|word| (*word).to_owned()).collect();
        Self { query, phrase, also: None, service: None, severity: None, newest: VecDeque::new(), met: 0 }
    }

    fn hear(&mut self, line: &Line) {
        if self.is_met_by(line) {
            self.met += 1;
            if self.newest.len() == WANTED {
                self.newest.pop_front();
            }
            self.newest.push_back(line.time_ns);
        }
    }

    fn is_met_by(&self, line: &Line) -> bool {
        self.service.is_none_or(|service| service == line.service)
            && self.severity.is_none_or(|least| line.severity >= least)
            // Most lines do not even hold the letters.
            && self.phrase.iter().chain(&self.also).all(|word| line.body.contains(word.as_str()))
            && says(&line.body, &self.phrase)
            && self.also.as_ref().is_none_or(|word| says(&line.body, std::slice::from_ref(word)))
    }

    /// Whether there are more lines than are wanted.
    pub(crate) const fn is_cut(&self) -> bool {
        self.met > WANTED
    }
}

/// Whether a body holds these words one after the other.
fn says(body: &str, phrase: &[String]) -> bool {
    let words: Vec<&str> = body.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(phrase.len()).any(|window| window.iter().zip(phrase).all(|(word, wanted)| word == wanted))
}

/// All searches.
#[derive(Debug)]
pub(crate) struct Questions(Vec<Kind>);

impl Questions {
    pub(crate) fn new() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| Question::new(format!("q={word}"), &[word])).collect::<Vec<_>>();
        let customers: Vec<String> = (0..DIFFERENT).map(|turn| customer(turn * 2_477 + 11)).collect();
        let customers: Vec<&str> = customers.iter().map(String::as_str).collect();
        let nowhere: Vec<String> = (0..DIFFERENT).map(|turn| format!("zeppelin{turn}")).collect();
        let beginnings = nowhere.iter().map(|word| Question::new(format!("q={word}*"), &[word])).collect();
        let nowhere: Vec<&str> = nowhere.iter().map(String::as_str).collect();
        let together = |first: &str, second: &str| Question {
            also: Some(second.to_owned()),
            ..Question::new(format!("q={}%20{}", first.to_lowercase(), second.to_lowercase()), &[first])
        };
        let by_service = SERVICES
            .iter()
            .enumerate()
            .map(|(service, name)| Question { service: Some(service), ..Question::new(format!("q=timeout&service={name}"), &["timeout"]) });
        let by_severity = Question { severity: Some(WARN), ..Question::new("q=request&severity=warn".to_owned(), &["request"]) };
        let by_both = Question {
            service: Some(PAYMENT),
            severity: Some(WARN),
            ..Question::new("q=UnexpectedEof&service=payment&severity=warn".to_owned(), &["UnexpectedEof"])
        };
        let kinds = [
            ("a word that one in four has", true, words(&["request", "ms", "EUR"])),
            ("a word that one in 20,000 has", true, words(&["quarantined"])),
            ("a word that a few have", true, words(&customers)),
            ("a word that is nowhere", true, words(&nowhere)),
            (
                "a phrase",
                true,
                vec![
                    Question::new("q=%22card%20declined%22".to_owned(), &["card", "declined"]),
                    Question::new("q=%22issuer%20not%20reachable%22".to_owned(), &["issuer", "not", "reachable"]),
                    Question::new("q=%22declined%20by%20Old%20Mill%22".to_owned(), &["declined", "by", "Old", "Mill"]),
                ],
            ),
            (
                "two words",
                true,
                vec![
                    together("timeout", "inventory"),
                    together("Rotterdam", "Pelican"),
                    together("InvalidState", "half"),
                    together("declined", "fraud"),
                ],
            ),
            ("a word, service or severity or both", true, by_service.chain([by_severity, by_both]).collect()),
            ("the beginning of a word that is nowhere", false, beginnings),
        ];
        Self(kinds.into_iter().map(|(name, is_bound, questions)| Kind { name, is_bound, questions }).collect())
    }

    /// Notes which searches a line meets. Lines come in the order of their times.
    pub(crate) fn hear(&mut self, line: &Line) {
        self.0.iter_mut().flat_map(|kind| &mut kind.questions).for_each(|question| question.hear(line));
    }

    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Speech;

    #[test]
    fn every_kind_finds_what_its_name_says() {
        let mut questions = Questions::new();
        let speech = Speech { seed: 4, lines: 300_000, from_ns: 0, until_ns: 60_000_000_000 };
        speech.lines().for_each(|line| questions.hear(&line));
        let share = |kind: &Kind| {
            let met: usize = kind.questions.iter().map(|question| question.met).sum();
            met as f64 / kind.questions.len() as f64 / speech.lines as f64
        };
        let shares: Vec<f64> = questions.kinds().iter().map(share).collect();
        assert!((0.15..0.6).contains(&shares[0]), "frequent: {shares:?}");
        assert!((0.000_01..0.000_1).contains(&shares[1]), "one in 20,000: {shares:?}");
        assert!((0.000_000_1..0.000_003).contains(&shares[2]), "a few: {shares:?}");
        assert!(shares[3] == 0.0 && shares[7] == 0.0, "nowhere: {shares:?}");
        for kind in &questions.kinds()[4..7] {
            assert!(kind.questions.iter().all(|question| question.met > 0), "{kind:?}");
        }
    }

    #[test]
    fn words_of_a_phrase_follow_one_another() {
        let phrase = ["card", "declined"].map(str::to_owned);
        assert!(says("7 card: declined", &phrase));
        assert!(!says("gift card express declined", &phrase) && !says("discard declined", &phrase));
    }
}
