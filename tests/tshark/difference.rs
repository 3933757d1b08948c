//! Where tshark sees something else in a message than we put there.

use crate::dissect::{Dissection, Field};
use crate::expected;
use mikey_sakke::mikey::Message;

#[derive(Debug)]
pub enum Difference {
    /// It calls the message malformed, or has a word about it.
    Complaint(String),
    /// It sees a field elsewhere.
    Moved(Field),
    /// It does not see a field.
    Missing(Field),
    /// It sees a field that is not there.
    Extra(Field),
}

pub fn differences(message: &Message<'_>, dissection: &Dissection) -> Vec<Difference> {
    let mut expected = expected::fields(message);
    let mut seen = dissection.fields.clone();
    take_pairs(&mut expected, &mut seen, |one, other| one.is_like(other) && one.start == other.start);
    let moved = take_pairs(&mut expected, &mut seen, Field::is_like);
    let complaints = dissection.complaints.iter().cloned().map(Difference::Complaint);
    let moved = moved.into_iter().map(Difference::Moved);
    let missing = expected.into_iter().map(Difference::Missing);
    complaints.chain(moved).chain(missing).chain(seen.into_iter().map(Difference::Extra)).collect()
}

/// Takes out of both lists what is the same in each.
fn take_pairs(one: &mut Vec<Field>, other: &mut Vec<Field>, same: impl Fn(&Field, &Field) -> bool) -> Vec<Field> {
    let mut taken = Vec::new();
    one.retain(|field| match other.iter().position(|candidate| same(field, candidate)) {
        Some(at) => {
            taken.push(other.remove(at));
            false
        }
        None => true,
    });
    taken
}
