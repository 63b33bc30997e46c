//! Matching the order and number of children against a content model, with one element of look-ahead.

use crate::schema::{AnyNamespace, Particle, Term};

/// A child as the model sees it: namespace (empty for none) and local name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Child<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// Where and why the children leave the model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// Before this position one of these names is required.
    Missing { at: usize, expected: Vec<String> },
    /// The child at this position cannot follow what came before.
    Unexpected { at: usize },
}

/// Checks all children; `Ok` means the model is satisfied exactly.
pub(crate) fn check(particle: &Particle, target: &str, children: &[Child<'_>]) -> Result<(), Mismatch> {
    let mut matcher = Matcher { target, children, at: 0 };
    matcher.particle(particle)?;
    if matcher.at < children.len() { Err(Mismatch::Unexpected { at: matcher.at }) } else { Ok(()) }
}

struct Matcher<'a> {
    target: &'a str,
    children: &'a [Child<'a>],
    at: usize,
}

impl Matcher<'_> {
    fn particle(&mut self, particle: &Particle) -> Result<(), Mismatch> {
        let mut count: u64 = 0;
        while particle.max.is_none_or(|max| count < max) && self.next_starts(&particle.term) {
            self.term(&particle.term)?;
            count = count.saturating_add(1);
        }
        if count < particle.min && !nullable_term(&particle.term) {
            let mut expected = Vec::new();
            first_names(&particle.term, &mut expected);
            return Err(Mismatch::Missing { at: self.at, expected });
        }
        Ok(())
    }

    /// Consumes one occurrence of a term that the next child can start; so at least one child is consumed.
    fn term(&mut self, term: &Term) -> Result<(), Mismatch> {
        match term {
            Term::Element(_) | Term::Any(_) => {
                self.at = self.at.saturating_add(1);
                Ok(())
            }
            Term::Sequence(parts) => parts.iter().try_for_each(|part| self.particle(part)),
            Term::Choice(parts) => match parts.iter().find(|part| self.next_starts(&part.term)) {
                Some(part) => self.particle(part),
                None => Ok(()),
            },
        }
    }

    fn next_starts(&self, term: &Term) -> bool {
        self.children.get(self.at).is_some_and(|child| self.starts(term, *child))
    }

    fn starts(&self, term: &Term, child: Child<'_>) -> bool {
        match term {
            Term::Element(name) => child.name == name && child.namespace == self.target,
            Term::Any(AnyNamespace::Any) => true,
            Term::Any(AnyNamespace::Other) => child.namespace != self.target && !child.namespace.is_empty(),
            Term::Any(AnyNamespace::Listed(list)) => list.iter().any(|uri| uri == child.namespace),
            Term::Choice(parts) => parts.iter().any(|part| self.starts(&part.term, child)),
            Term::Sequence(parts) => {
                for part in parts {
                    if self.starts(&part.term, child) {
                        return true;
                    }
                    if !nullable(part) {
                        return false;
                    }
                }
                false
            }
        }
    }
}

fn nullable(particle: &Particle) -> bool {
    particle.min == 0 || nullable_term(&particle.term)
}

fn nullable_term(term: &Term) -> bool {
    match term {
        Term::Element(_) | Term::Any(_) => false,
        Term::Sequence(parts) => parts.iter().all(nullable),
        Term::Choice(parts) => parts.is_empty() || parts.iter().any(nullable),
    }
}

/// Names that can start a term, for the error text.
fn first_names(term: &Term, out: &mut Vec<String>) {
    match term {
        Term::Element(name) => out.push(name.clone()),
        Term::Any(_) => out.push("any element".to_owned()),
        Term::Choice(parts) => parts.iter().for_each(|part| first_names(&part.term, out)),
        Term::Sequence(parts) => {
            for part in parts {
                first_names(&part.term, out);
                if !nullable(part) {
                    break;
                }
            }
        }
    }
}
