use getrandom::SysRng;
use rand_core::UnwrapErr;

/// The operating system's random numbers. A system that has none to give ends the program: there is nothing that it
/// could safely do without them.
pub fn system() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
