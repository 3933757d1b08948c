//! Which arithmetic backend the program runs on: the fastest of the processor, unless somebody says otherwise.

use super::failure::Failure;
use mikey_sakke::arith::backend::Backend;

/// Forces a backend upon any command, for comparison and diagnosis.
const VARIABLE: &str = "MIKEY_SAKKE_BACKEND";

/// The backend called `name`; otherwise a message with the names that there are.
pub fn parse(name: &str) -> Result<Backend, String> {
    Backend::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Backend::available().map(Backend::name).collect();
        format!("this processor has: {}", names.join(", "))
    })
}

/// Forces the backend that the environment variable names, if it is set and not empty.
pub fn force_from_environment() -> Result<(), Failure> {
    let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else { return Ok(()) };
    let name = name.to_string_lossy();
    let backend = parse(&name).map_err(|reason| {
        Failure::new(format!("{VARIABLE} is {name:?}, but {reason}")).advise("Set it to one of these, or unset it.")
    })?;
    backend.force();
    Ok(())
}
