//! 1024 bits.

use core::arch::asm;

use super::portable;

pub const LIMBS: usize = 16;

type Half = [u64; 8];

macro_rules! product {
    ($lo_into:literal, $high:literal, $next:literal, $offset:literal) => {
        concat!(
            "mulx ",
            $high,
            ", rax, [rdi + ",
            $offset,
            "]\n adcx ",
            $lo_into,
            ", rax\n adox ",
            $high,
            ", ",
            $next,
            "\n"
        )
    };
}
/// carry: rcx = out limb.
macro_rules! row {
    () => {
        concat!(
            "xor eax, eax\n mov rcx, r8\n",
            product!("rcx", "r8", "r9", "0"),
            product!("r8", "r9", "r10", "8"),
            product!("r9", "r10", "r11", "16"),
            product!("r10", "r11", "r12", "24"),
            product!("r11", "r12", "r13", "32"),
            product!("r12", "r13", "r14", "40"),
            product!("r13", "r14", "r15", "48"),
            "mulx r15, rax, [rdi + 56]\n adcx r14, rax\n mov eax, 0\n adox r15, rax\n adcx r15, rax\n",
        )
    };
}
macro_rules! block_row {
    ($offset:literal) => {
        concat!("mov rdx, [rsi + ", $offset, "]\n", row!(), "mov [rbx + ", $offset, "], rcx\n")
    };
}
macro_rules! reduce_row {
    ($offset:literal) => {
        concat!("mov rdx, r8\n imul rdx, rbx\n mov [rsi + ", $offset, "], rdx\n", row!())
    };
}

/// accumulator + x y = (accumulator, low)
#[inline(always)]
unsafe fn block(acc: &mut Half, x: *const u64, y: *const u64, low: *mut u64) {
    unsafe {
        asm!(
            "push rbx\n mov rbx, rax",
            block_row!("0"), block_row!("8"), block_row!("16"), block_row!("24"), block_row!("32"), block_row!("40"), block_row!("48"), block_row!("56"),
            "pop rbx",
            inout("rax") low => _, out("rcx") _, out("rdx") _, in("rsi") x, in("rdi") y,
            inout("r8") acc[0], inout("r9") acc[1], inout("r10") acc[2], inout("r11") acc[3],
            inout("r12") acc[4], inout("r13") acc[5], inout("r14") acc[6], inout("r15") acc[7],
        );
    }
}
#[inline(always)]
unsafe fn reduce_block(acc: &mut Half, q: *mut u64, m: *const u64, n0: u64) {
    unsafe {
        asm!(
            "push rbx\n mov rbx, rax",
            reduce_row!("0"), reduce_row!("8"), reduce_row!("16"), reduce_row!("24"), reduce_row!("32"), reduce_row!("40"), reduce_row!("48"), reduce_row!("56"),
            "pop rbx",
            inout("rax") n0 => _, out("rcx") _, out("rdx") _, in("rsi") q, in("rdi") m,
            inout("r8") acc[0], inout("r9") acc[1], inout("r10") acc[2], inout("r11") acc[3],
            inout("r12") acc[4], inout("r13") acc[5], inout("r14") acc[6], inout("r15") acc[7],
        );
    }
}

#[inline(always)]
fn add(acc: &mut Half, x: &Half) -> bool {
    let mut carry = false;
    for i in 0..8 {
        (acc[i], carry) = acc[i].carrying_add(x[i], carry);
    }
    carry
}
#[inline(always)]
fn add_carry(acc: &mut Half, mut carry: bool) -> bool {
    for i in 0..8 {
        (acc[i], carry) = acc[i].carrying_add(0, carry);
    }
    carry
}

#[inline(never)]
fn product(t: &mut [Half; 4], a: &[Half; 2], b: &[Half; 2]) {
    unsafe {
        let mut acc = [0; 8];
        block(&mut acc, a[0].as_ptr(), b[0].as_ptr(), t[0].as_mut_ptr());
        block(&mut acc, a[0].as_ptr(), b[1].as_ptr(), t[1].as_mut_ptr());
        t[2] = acc;
        acc = t[1];
        block(&mut acc, a[1].as_ptr(), b[0].as_ptr(), t[1].as_mut_ptr());
        let carry = add(&mut acc, &t[2]);
        block(&mut acc, a[1].as_ptr(), b[1].as_ptr(), t[2].as_mut_ptr());
        add_carry(&mut acc, carry);
        t[3] = acc;
    }
}
#[inline(never)]
fn reduce(t: &mut [Half; 4], m: &[Half; 2], n0: u64) -> [u64; 16] {
    unsafe {
        let mut q = [0; 8];
        let mut acc = t[0];
        reduce_block(&mut acc, q.as_mut_ptr(), m[0].as_ptr(), n0);
        let carry1 = add(&mut acc, &t[1]);
        block(&mut acc, q.as_ptr(), m[1].as_ptr(), t[1].as_mut_ptr());
        let c0 = add_carry(&mut acc, carry1);
        debug_assert!(!c0);
        let carry2 = add(&mut acc, &t[2]);
        t[2] = acc;
        let mut acc = t[1];
        reduce_block(&mut acc, q.as_mut_ptr(), m[0].as_ptr(), n0);
        let carry3 = add(&mut acc, &t[2]);
        block(&mut acc, q.as_ptr(), m[1].as_ptr(), t[2].as_mut_ptr());
        let c0 = add_carry(&mut acc, carry2);
        let c1 = add_carry(&mut acc, carry3);
        let c2 = add(&mut acc, &t[3]);
        let mut r = [0; 16];
        r[..8].copy_from_slice(&t[2]);
        r[8..].copy_from_slice(&acc);
        portable::subtract_modulus_once(&r, c0 | c1 | c2, &*(m as *const _ as *const [u64; 16]))
    }
}
#[inline]
pub fn multiply(a: &[u64; 16], b: &[u64; 16], m: &[u64; 16], n0: u64) -> [u64; 16] {
    let mut t = core::mem::MaybeUninit::<[Half; 4]>::uninit();
    let t = unsafe { &mut *t.as_mut_ptr() };
    unsafe { product(t, &*(a as *const _ as *const _), &*(b as *const _ as *const _)) };
    unsafe { reduce(t, &*(m as *const _ as *const _), n0) }
}
