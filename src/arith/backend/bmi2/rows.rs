//! The assembly of rows.

/// What ends a chain of carries: adds nothing but the carry. In memory, since every register has its use.
pub(super) static ZERO: u64 = 0;

/// Lines of assembly of several parts each, every line ended by a semicolon.
macro_rules! lines {
    ($($($part:literal)+;)+) => {
        concat!($($($part,)+ "\n",)+)
    };
}

/// Begins a row: `rdx` is limb $i of the number at `$from`, and neither chain has a carry.
macro_rules! begin_row {
    ($from:literal, $i:literal) => {
        lines! {
            "mov rdx, [" $from " + 8 * " $i "]";
            "xor eax, eax";
        }
    };
}

/// Adds `rdx` times limb $i of the number at `rsi` to the limbs $low and $high.
macro_rules! add_product {
    ($i:literal: $low:literal, $high:literal) => {
        lines! {
            "mulx rcx, rax, [rsi + 8 * " $i "]";
            "adcx " $low ", rax";
            "adox " $high ", rcx";
        }
    };
}

/// The last product of a row, which is the first to reach the limb $high: that receives the carries of both chains.
macro_rules! add_last_product {
    ($i:literal: $low:literal, $high:literal) => {
        lines! {
            "mulx " $high ", rax, [rsi + 8 * " $i "]";
            "adcx " $low ", rax";
            "adox " $high ", [rip + {zero}]";
            "adcx " $high ", [rip + {zero}]";
        }
    };
}

/// A product of the first row, before which the limbs hold nothing: $add is add for the first of these, then adc.
macro_rules! first_row_product {
    ($i:literal: $add:literal $low:literal, $high:literal) => {
        lines! {
            "mulx " $high ", rax, [rsi + 8 * " $i "]";
            $add " " $low ", rax";
        }
    };
}
