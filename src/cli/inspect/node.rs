use crate::cli::output::{Output, field_style, quiet_style};
use serde_json::{Value, json};
use std::ops::Range;

/// A field of a payload, named as its specification names it, with the fields inside it.
pub struct Node {
    pub name: String,
    pub octets: Range<usize>,
    pub value: String,
    pub children: Vec<Self>,
}

/// Width of names, at whatever depth.
const NAMES: usize = 38;

impl Node {
    pub fn json(&self) -> Value {
        let mut object = json!({
            "name": self.name,
            "offset": self.octets.start,
            "length": self.octets.len(),
            "value": self.value,
        });
        if let (false, Some(object)) = (self.children.is_empty(), object.as_object_mut()) {
            object.insert("fields".into(), self.children.iter().map(Self::json).collect());
        }
        object
    }

    pub fn print(&self, output: &Output, depth: usize) {
        let (quiet, field) = (quiet_style(), field_style());
        let indent = 2 * depth;
        output.line(format_args!(
            "{quiet}{:>5}{quiet:#}  {:indent$}{field}{:<width$}{field:#}  {}",
            self.octets.start,
            "",
            self.name,
            self.value,
            width = NAMES - indent
        ));
        self.children.iter().for_each(|child| child.print(output, depth + 1));
    }
}

/// Lays fields one behind the other.
pub struct Fields {
    at: usize,
    nodes: Vec<Node>,
}

impl Fields {
    /// Fields from this octet of the message on.
    pub fn at(offset: usize) -> Self {
        Self { at: offset, nodes: Vec::new() }
    }

    #[must_use]
    pub fn field(mut self, name: &str, len: usize, value: impl ToString) -> Self {
        self.push(name, len, value.to_string(), Vec::new());
        self
    }

    /// Several values in the same octets: the octets are passed by [`skip`](Self::skip).
    #[must_use]
    pub fn bits(mut self, name: &str, value: impl ToString) -> Self {
        let octets = self.at..self.at + 1;
        self.nodes.push(Node { name: name.to_owned(), octets, value: value.to_string(), children: Vec::new() });
        self
    }

    #[must_use]
    pub fn skip(mut self, len: usize) -> Self {
        self.at += len;
        self
    }

    /// A field of `len` octets with fields inside it.
    #[must_use]
    pub fn nested(mut self, name: &str, len: usize, value: impl ToString, inner: impl FnOnce(Self) -> Self) -> Self {
        let children = inner(Self::at(self.at)).nodes;
        self.push(name, len, value.to_string(), children);
        self
    }

    pub fn nodes(self) -> Vec<Node> {
        self.nodes
    }

    fn push(&mut self, name: &str, len: usize, value: String, children: Vec<Node>) {
        let octets = self.at..self.at + len;
        self.at = octets.end;
        self.nodes.push(Node { name: name.to_owned(), octets, value, children });
    }
}

/// A field that is known by its value alone.
pub fn print_value(name: &str, value: &str, output: &Output) {
    let field = field_style();
    output.line(format_args!("    {field}{name:<18}{field:#}{value}"));
}
