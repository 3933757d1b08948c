//! What the registers of a stopped process hold.

use iced_x86::Register;
use nix::libc::{self, c_void, iovec, user_regs_struct};
use nix::unistd::Pid;
use std::arch::x86_64::__cpuid_count;
use std::io;

/// What a register holds that addresses are made of; segments count from their base.
pub fn word(registers: &user_regs_struct, register: Register) -> Option<u64> {
    let value = match register.full_register() {
        Register::RAX => registers.rax,
        Register::RBX => registers.rbx,
        Register::RCX => registers.rcx,
        Register::RDX => registers.rdx,
        Register::RSI => registers.rsi,
        Register::RDI => registers.rdi,
        Register::RBP => registers.rbp,
        Register::RSP => registers.rsp,
        Register::R8 => registers.r8,
        Register::R9 => registers.r9,
        Register::R10 => registers.r10,
        Register::R11 => registers.r11,
        Register::R12 => registers.r12,
        Register::R13 => registers.r13,
        Register::R14 => registers.r14,
        Register::R15 => registers.r15,
        Register::FS => registers.fs_base,
        Register::GS => registers.gs_base,
        Register::CS | Register::DS | Register::ES | Register::SS => 0,
        _ => return None,
    };
    Some(if register.size() == 4 { value & 0xffff_ffff } else { value })
}

/// The vector registers, in the form of the instruction XSAVE.
pub struct VectorRegisters(Vec<u8>);

/// Parts of that form (Intel's manual, volume 1, 13.5): where the octets 0 to 15 of the first sixteen registers are,
const LOW: usize = 160;
/// which component has their octets 16 to 31,
const MIDDLE: u32 = 2;
/// which has 32 to 63,
const HIGH: u32 = 6;
/// and which has the other sixteen registers.
const OTHERS: u32 = 7;
/// More than all components take.
const LARGEST: usize = 1 << 16;
/// The number of the set of registers, of Linux.
const NT_X86_XSTATE: usize = 0x202;

/// Reads them, of a stopped process.
#[allow(unsafe_code)]
pub fn vector_registers(pid: Pid) -> Result<VectorRegisters, String> {
    let mut octets = vec![0u8; LARGEST];
    let mut place = iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() };
    let place: *mut iovec = &mut place;
    // SAFETY: the system writes into `octets`, no more than their length.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, pid.as_raw(), NT_X86_XSTATE, place.cast::<c_void>()) };
    match result {
        -1 => Err(io::Error::last_os_error().to_string()),
        _ => Ok(VectorRegisters(octets)),
    }
}

impl VectorRegisters {
    pub fn has(register: Register) -> bool {
        register.is_vector_register()
    }

    /// What a register holds, as words of 64 bits.
    pub fn words(&self, register: Register) -> Vec<u64> {
        let (number, size) = (register.number(), register.size());
        let octets: Vec<u8> = match number {
            0..16 => [
                self.part(LOW, number, 16),
                self.part(component(MIDDLE), number, 16),
                self.part(component(HIGH), number, 32),
            ]
            .concat(),
            _ => self.part(component(OTHERS), number - 16, 64).to_vec(),
        };
        octets[..size].as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect()
    }

    fn part(&self, start: usize, number: usize, len: usize) -> &[u8] {
        &self.0[start + number * len..][..len]
    }
}

/// Where a component is.
fn component(number: u32) -> usize {
    __cpuid_count(13, number).ebx as usize
}
