//! Messages between two stores.
