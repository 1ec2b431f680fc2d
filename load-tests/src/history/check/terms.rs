//! I10: the terms of one room, replayed by number. Versions count 1, 2, 3 …; an answer refers to the latest version, once; an offer
//! names a version that there is, and ends the negotiation when it is accepted.

#[derive(Debug, Default)]
pub(super) struct Terms {
    latest: u32,
    /// The latest version was accepted, declined or withdrawn.
    answered: bool,
    /// The version that the standing offer names.
    offered: Option<u32>,
    hired: bool,
}

impl Terms {
    /// Takes the next entry; other kinds than of terms and offers change nothing.
    pub(super) fn step(&mut self, kind: &str, version: u32) -> Result<(), String> {
        match kind {
            "terms.proposed" => self.propose(version),
            "terms.accepted" | "terms.declined" | "terms.withdrawn" => self.answer(kind, version),
            "offer.made" | "offer.changed" => self.offer(version),
            "offer.accepted" => {
                let is_new = !std::mem::replace(&mut self.hired, true);
                if !is_new {
                    return Err("a second offer was accepted".to_owned());
                }
                self.settle(kind, version)
            }
            "offer.declined" | "offer.withdrawn" => self.settle(kind, version),
            _ => Ok(()),
        }
    }

    fn propose(&mut self, version: u32) -> Result<(), String> {
        if self.hired {
            return Err(format!("version {version} was proposed after an offer was accepted"));
        }
        let expected = self.latest + 1;
        (self.latest, self.answered) = (version.max(self.latest), false);
        if version == expected { Ok(()) } else { Err(format!("version {version} where {expected} belongs")) }
    }

    fn answer(&mut self, kind: &str, version: u32) -> Result<(), String> {
        if version != self.latest {
            return Err(format!("{kind} names version {version}, and the latest is {}", self.latest));
        }
        if std::mem::replace(&mut self.answered, true) {
            return Err(format!("{kind} is a second answer to version {version}"));
        }
        Ok(())
    }

    fn offer(&mut self, version: u32) -> Result<(), String> {
        self.offered = Some(version);
        if (1..=self.latest).contains(&version) {
            Ok(())
        } else {
            Err(format!("an offer names version {version}, and the latest is {}", self.latest))
        }
    }

    /// The standing offer ends. An entry need not name its version.
    fn settle(&mut self, kind: &str, version: u32) -> Result<(), String> {
        match self.offered.take() {
            None => Err(format!("{kind} without an offer")),
            Some(offered) if version != 0 && version != offered => {
                Err(format!("{kind} names version {version}, and the offer names {offered}"))
            }
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(steps: &[(&str, u32)]) -> Result<(), String> {
        let mut terms = Terms::default();
        steps.iter().try_for_each(|(kind, version)| terms.step(kind, *version))
    }

    #[test]
    fn a_negotiation_that_goes_by_the_rules_is_fine() {
        let whole = [
            ("terms.proposed", 1),
            ("message.posted", 0),
            ("terms.proposed", 2),
            ("terms.declined", 2),
            ("terms.proposed", 3),
            ("terms.accepted", 3),
            ("offer.made", 3),
            ("offer.withdrawn", 0),
            ("offer.made", 2),
            ("offer.accepted", 2),
            ("phase.changed", 0),
        ];
        assert_eq!(replay(&whole), Ok(()));
    }

    #[test]
    fn an_answer_or_an_offer_that_refers_to_something_else_is_not() {
        for wrong in [
            &[("terms.proposed", 2)][..],
            &[("terms.proposed", 1), ("terms.proposed", 1)],
            &[("terms.accepted", 1)],
            &[("terms.proposed", 1), ("terms.proposed", 2), ("terms.accepted", 1)],
            &[("terms.proposed", 1), ("terms.accepted", 1), ("terms.declined", 1)],
            &[("terms.proposed", 1), ("offer.made", 2)],
            &[("terms.proposed", 1), ("offer.accepted", 1)],
            &[("terms.proposed", 1), ("terms.proposed", 2), ("offer.made", 2), ("offer.accepted", 1)],
            &[("terms.proposed", 1), ("offer.made", 1), ("offer.accepted", 1), ("terms.proposed", 2)],
        ] {
            assert!(replay(wrong).is_err(), "{wrong:?}");
        }
    }
}
