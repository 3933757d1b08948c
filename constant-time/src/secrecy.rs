//! Tells valgrind's memcheck which memory is secret.
//!
//! Memcheck follows undefined bits through every computation, and reports each branch and each address that depends on
//! one. A secret is therefore marked undefined, and what the design publishes is marked defined again. Outside valgrind
//! the marks are a few instructions without effect.

#![allow(unsafe_code)]

use std::arch::asm;
use std::ptr;

/// RUNNING_ON_VALGRIND of valgrind.h.
const RUNNING_ON_VALGRIND: usize = 0x1001;
/// VALGRIND_MAKE_MEM_UNDEFINED of memcheck.h.
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
/// VALGRIND_MAKE_MEM_DEFINED of memcheck.h.
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;

/// Makes the octets that a value occupies secret (not what it points to).
pub fn hide<T: ?Sized>(value: &mut T) {
    request(MAKE_MEM_UNDEFINED, (&raw mut *value).cast(), size_of_val(value));
}

/// Makes the octets that a value occupies public.
pub fn publish<T>(mut value: T) -> T {
    request(MAKE_MEM_DEFINED, (&raw mut value).cast(), size_of::<T>());
    value
}

pub fn is_watched() -> bool {
    request(RUNNING_ON_VALGRIND, ptr::null_mut(), 0) != 0
}

/// A client request: valgrind recognises the rotations, which leave `rdi` as it was, and the exchange of a register
/// with itself. It reads the arguments at `rax` and answers in `rdx`.
fn request(code: usize, address: *mut u8, length: usize) -> usize {
    // The compiler is to believe that the block below writes there, so that it keeps no copy from before.
    let arguments = [code, address.expose_provenance(), length, 0, 0, 0];
    let mut answer = 0;
    // SAFETY: the instructions change nothing but flags and `rdx`. Under valgrind the six words at `arguments` are
    // read, as many as every request has, and no octet is written: only what valgrind knows of octets changes.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const arguments,
            inout("rdx") answer,
        );
    }
    answer
}
