/// How far long work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What was done to so many.
    pub what: &'static str,
    /// So many.
    pub done: usize,
    /// Of so many.
    pub of: usize,
}
