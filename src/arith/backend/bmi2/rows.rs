//! The assembly of rows.

/// What ends a chain of carries: adds nothing but the carry. In memory, since every register has its use.
pub(super) static ZERO: u64 = 0;

/// Begins a row: `rdx` is limb $i of `$from`, and neither chain has a carry.
macro_rules! begin_row {
    ($from:literal[$i:literal]) => {
        concat!("mov rdx, [", $from, " + 8 * ", $i, "]\n", "xor eax, eax\n")
    };
}

/// Adds `rdx` times limb $i of `rsi` to the limbs $low and $high.
macro_rules! add_product {
    ($i:literal: $low:literal, $high:literal) => {
        concat!("mulx rcx, rax, [rsi + 8 * ", $i, "]\n", "adcx ", $low, ", rax\n", "adox ", $high, ", rcx\n",)
    };
}

/// The last product of a row, which is the first to reach the limb $high: that receives the carries of both chains.
macro_rules! add_last_product {
    ($i:literal: $low:literal, $high:literal) => {
        concat!(
            "mulx ",
            $high,
            ", rax, [rsi + 8 * ",
            $i,
            "]\n",
            "adcx ",
            $low,
            ", rax\n",
            "adox ",
            $high,
            ", [rip + {zero}]\n",
            "adcx ",
            $high,
            ", [rip + {zero}]\n",
        )
    };
}

/// A product of the first row, whose limbs held nothing before: `$add` is add for the first of these products, then adc.
macro_rules! first_row_product {
    ($i:literal: $add:literal $low:literal, $high:literal) => {
        concat!("mulx ", $high, ", rax, [rsi + 8 * ", $i, "]\n", $add, " ", $low, ", rax\n")
    };
}
