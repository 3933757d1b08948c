//! What the checks run.

use crate::random::{Class, Random};

/// Something that computes with secrets.
pub struct Operation {
    pub name: &'static str,
    /// What distinguishes the runs of the two classes. Where nothing is said of a class, its secrets are random.
    pub classes: [&'static str; 2],
    /// Builds what all runs share.
    pub set_up: fn(&mut Random) -> Preparation,
}

/// Makes the inputs of one run, in the same way for both classes.
pub type Preparation = Box<dyn FnMut(Class, &mut Random) -> Run>;

/// One run, the part whose time is taken.
pub type Run = Box<dyn FnMut()>;
