//! A process of this program that is run one instruction at a time.

use crate::registers::{VectorRegisters, vector_registers, word};
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, InstructionInfoFactory};
use nix::sys::personality::{self, Persona};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::arch::asm;
use std::collections::HashMap;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::{env, io};

/// The longest instruction of the processor.
const INSTRUCTION_LEN: usize = 15;

/// Tells the stepping process where the watched part begins and ends. Without one, the process dies of it.
#[allow(unsafe_code)]
pub fn mark() {
    // SAFETY: a breakpoint changes nothing.
    unsafe { asm!("int3") }
}

/// A stopped process, which is killed on drop.
pub struct Stepper {
    process: Child,
    memory: File,
    decoded: HashMap<u64, Decoded>,
    factory: InstructionInfoFactory,
}

#[derive(Clone, Copy)]
struct Decoded {
    instruction: Instruction,
    touches_memory: bool,
}

/// What a step is about to do.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    Instruction {
        at: u64,
        /// The addresses of memory that it reads or writes; for a gather or scatter, its base and its indices.
        addresses: Vec<u64>,
    },
    /// The watched part has ended.
    End,
}

impl Stepper {
    /// Starts this program with arguments, and runs it to its first [`mark`].
    #[allow(unsafe_code)]
    pub fn start(arguments: &[&str]) -> Result<Stepper, String> {
        let mut command = Command::new(env::current_exe().map_err(text)?);
        command.args(arguments).env_clear();
        let traced = || {
            // So that equal steps have equal addresses.
            personality::set(Persona::ADDR_NO_RANDOMIZE)?;
            ptrace::traceme()?;
            io::Result::Ok(())
        };
        // SAFETY: two system calls, which allocate nothing.
        unsafe { command.pre_exec(traced) };
        let process = command.spawn().map_err(text)?;
        let memory = File::open(format!("/proc/{}/mem", process.id())).map_err(text)?;
        let stepper = Stepper { process, memory, decoded: HashMap::new(), factory: InstructionInfoFactory::new() };
        stepper.wait()?;
        ptrace::cont(stepper.pid(), None).map_err(text)?;
        stepper.wait()?;
        Ok(stepper)
    }

    /// Begins the next instruction. [`Stepper::wait`] ends it.
    pub fn step(&self) -> Result<(), String> {
        ptrace::step(self.pid(), None).map_err(text)
    }

    /// Waits until the process has stopped again.
    pub fn wait(&self) -> Result<(), String> {
        match waitpid(self.pid(), None).map_err(text)? {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => Ok(()),
            status => Err(format!("the watched process: {status:?}")),
        }
    }

    /// What the next step will do.
    pub fn next(&mut self) -> Result<Step, String> {
        let pid = self.pid();
        let registers = ptrace::getregs(pid).map_err(text)?;
        let at = registers.rip;
        let Decoded { instruction, touches_memory } = self.decoded(at)?;
        if instruction.code() == Code::Int3 {
            return Ok(Step::End);
        }
        let mut addresses = Vec::new();
        if touches_memory {
            for memory in self.factory.info(&instruction).used_memory() {
                let index = memory.index();
                let address = memory.virtual_address(0, |register, _, _| match VectorRegisters::has(register) {
                    true => Some(0),
                    false => word(&registers, register),
                });
                addresses.push(address.ok_or_else(|| format!("unknown address of {:?}", instruction.code()))?);
                if VectorRegisters::has(index) {
                    addresses.extend(vector_registers(pid)?.words(index));
                }
            }
        }
        Ok(Step::Instruction { at, addresses })
    }

    /// Where the program is, without the libraries.
    pub fn program(&self) -> Result<Range<u64>, String> {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.process.id())).map_err(text)?;
        let program = env::current_exe().map_err(text)?;
        let program = program.to_str().ok_or("the program's path is no text")?;
        let ranges = maps.lines().filter(|line| line.ends_with(program)).filter_map(|line| {
            let (start, rest) = line.split_once('-')?;
            let (end, _) = rest.split_once(' ')?;
            Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
        });
        let (starts, ends): (Vec<_>, Vec<_>) = ranges.unzip();
        let (start, end) = starts.iter().min().zip(ends.iter().max()).ok_or("the program is not in its own memory")?;
        Ok(*start..*end)
    }

    fn decoded(&mut self, at: u64) -> Result<Decoded, String> {
        if let Some(&decoded) = self.decoded.get(&at) {
            return Ok(decoded);
        }
        let mut octets = [0; INSTRUCTION_LEN];
        self.memory.read_at(&mut octets, at).map_err(text)?;
        let instruction = Decoder::with_ip(64, &octets, at, DecoderOptions::NONE).decode();
        if instruction.is_invalid() {
            return Err(format!("unknown instruction {octets:02x?}"));
        }
        let touches_memory = !self.factory.info(&instruction).used_memory().is_empty();
        let decoded = Decoded { instruction, touches_memory };
        self.decoded.insert(at, decoded);
        Ok(decoded)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id() as i32)
    }
}

impl Drop for Stepper {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
