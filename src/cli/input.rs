use super::failure::{Context, Failure};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The file at `path`, or standard input for `-`.
pub fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).context(format_args!("cannot read {}", path.display()))?;
    Ok(Box::new(file))
}
