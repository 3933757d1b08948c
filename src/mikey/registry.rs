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

/// Declares an enum over the numbers of a registry on which the length of other fields depends: an octet with another
/// number cannot be read.
macro_rules! closed_registry {
    ($(#[$meta:meta])* $name:ident { $($item:ident = $value:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = $text] $item = $value,)*
        }

        impl $name {
            /// The value with this registered number, or `None` if there is none.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($value => Some(Self::$item),)*
                    _ => None,
                }
            }

            /// The registered number.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The registered name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$item => $text,)*
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{} ({})", self.number(), self.name())
            }
        }
    };
}

pub(crate) use closed_registry;
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

    closed_registry! {
        /// A closed registry for the test.
        Planet {
            Venus = 2, "Venus";
            Mars = 4, "Mars";
        }
    }

    #[test]
    fn a_closed_registry_knows_its_numbers_alone() {
        for number in 0..=u8::MAX {
            let planet = Planet::from_number(number);
            assert_eq!(planet.is_some(), [2, 4].contains(&number));
            assert!(planet.is_none_or(|planet| planet.number() == number));
        }
        assert_eq!(format!("{} {}", Planet::Venus, Planet::Mars), "2 (Venus) 4 (Mars)");
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
