//! Placeholder text, replaced with the module.
