//! Open registries: an octet with names for the values that this version knows.

/// Declares a newtype over an octet whose known values are associated constants with a printable name.
///
/// A value without a name stays representable: whether it may be used is for the reader of the message to judge, and
/// it must survive a parse followed by a build.
macro_rules! registry {
    ($(#[$meta:meta])* $name:ident { $($item:ident = $value:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u8);

        impl $name {
            $(#[doc = $text] pub const $item: Self = Self($value);)*

            /// The registered name, or `None` for a value that this version has no name for.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{} ({})", self.0, self.name().unwrap_or("unassigned"))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({} {})"), self.0, self.name().unwrap_or("unassigned"))
            }
        }
    };
}

pub(crate) use registry;

#[cfg(test)]
mod tests {
    use alloc::format;

    registry! {
        /// A registry for the test.
        Fruit {
            APPLE = 3, "apple";
        }
    }

    #[test]
    fn known_and_unknown_values_print_their_number() {
        assert_eq!(Fruit::APPLE, Fruit(3));
        assert_eq!(format!("{}", Fruit::APPLE), "3 (apple)");
        assert_eq!(format!("{}", Fruit(9)), "9 (unassigned)");
        assert_eq!(format!("{:?}", Fruit(9)), "Fruit(9 unassigned)");
        assert_eq!(Fruit(9).name(), None);
    }
}
