//! One strict tree, and how it is read: names with their namespaces, text that is whole or not there.

use std::collections::HashSet;

use bergshamra_xml::uppsala::{self, NodeId, NodeKind, Parser};

use super::Flaw;
use crate::wire::saml::scan;

/// A document that a message may be read from.
#[derive(Debug)]
pub struct Document<'x> {
    pub(super) tree: uppsala::Document<'x>,
}

/// An element of a document.
#[derive(Clone, Copy)]
pub struct Element<'t> {
    pub(super) tree: &'t uppsala::Document<'t>,
    pub(super) id: NodeId,
}

impl std::fmt::Debug for Element<'_> {
    // What it holds is about people.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Element({})", self.name().1)
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl<'x> Document<'x> {
    /// Parses what the scan lets through.
    pub fn parse(bytes: &'x [u8]) -> Result<Self, Flaw> {
        let text = scan::text(bytes)?;
        let deepest = u32::try_from(scan::DEEPEST).unwrap_or(u32::MAX);
        let parser = Parser::new().with_max_depth(deepest).with_forbid_dtd(true);
        let document = Self {
            tree: parser.parse(text).map_err(|_| Flaw::Broken)?,
        };
        document.check()?;
        Ok(document)
    }

    /// The outermost element.
    pub fn root(&self) -> Result<Element<'_>, Flaw> {
        let id = self.tree.document_element().ok_or(Flaw::Broken)?;
        Ok(Element { tree: &self.tree, id })
    }

    /// All elements, in the order of the document.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        let all = self.tree.descendants(self.tree.root()).into_iter();
        all.map(|id| Element { tree: &self.tree, id })
            .filter(|node| node.inner().is_some())
    }

    /// What must hold of every element.
    fn check(&self) -> Result<(), Flaw> {
        let mut ids = HashSet::new();
        for element in self.elements() {
            let inner = element.inner().ok_or(Flaw::Broken)?;
            // A relative name makes some canonicalisers give up and digest nothing (Exclusive XML C14N §1.3).
            let absolute = |uri: &str| uri.is_empty() || uri.contains(':');
            if !inner.namespace_declarations.iter().all(|(_, uri)| absolute(uri)) {
                return Err(Flaw::Namespace);
            }
            for attribute in &inner.attributes {
                // However an ID is spelt, and whatever else may take it for one (`xml:id`, `wsu:Id`): it names one
                // element, or "the element that is signed" is not the element that is read.
                if attribute.name.local_name.eq_ignore_ascii_case("id")
                    && (attribute.name.prefix.is_some() || !ids.insert(attribute.value.as_ref()))
                {
                    return Err(Flaw::DuplicateId);
                }
            }
        }
        Ok(())
    }
}

impl<'t> Element<'t> {
    fn inner(self) -> Option<&'t uppsala::Element<'t>> {
        self.tree.element(self.id)
    }

    /// Its namespace and its name there.
    #[must_use]
    pub fn name(self) -> (&'t str, &'t str) {
        self.inner().map_or(("", ""), |inner| {
            let space = inner.name.namespace_uri.as_deref().unwrap_or_default();
            (space, inner.name.local_name.as_ref())
        })
    }

    /// Whether it has that name in that namespace.
    #[must_use]
    pub fn is(self, space: &str, name: &str) -> bool {
        self.name() == (space, name)
    }

    /// The value of an attribute without a namespace.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        let attributes = self.inner()?.attributes.iter();
        // The tree's own lookup would take one of any namespace.
        let mut own = attributes.filter(|own| own.name.prefix.is_none() && own.name.local_name == name);
        own.next().map(|own| own.value.as_ref())
    }

    /// The names of its attributes, those in a namespace with their prefix.
    pub fn attribute_names(self) -> impl Iterator<Item = String> {
        let attributes = self.inner().map(|inner| inner.attributes.iter());
        attributes
            .into_iter()
            .flatten()
            .map(|own| own.name.prefixed_name().into_owned())
    }

    /// The element around it.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let id = self.tree.parent(self.id)?;
        self.tree.element(id)?;
        Some(Self { id, ..self })
    }

    /// The elements in it. None may stand beside text: no message mixes the two.
    pub fn children(self) -> Result<Vec<Self>, Flaw> {
        let mut children = Vec::new();
        for id in self.tree.children_iter(self.id) {
            match self.tree.node_kind(id) {
                Some(NodeKind::Element(_)) => children.push(Self { id, ..self }),
                Some(NodeKind::Text(text)) if text.trim_ascii().is_empty() => {}
                Some(_) | None => return Err(Flaw::Broken),
            }
        }
        Ok(children)
    }

    /// Its text, if it holds nothing else: never a part of it.
    #[must_use]
    pub fn text(self) -> Option<&'t str> {
        let mut nodes = self.tree.children_iter(self.id);
        match (nodes.next(), nodes.next()) {
            (None, _) => Some(""),
            (Some(only), None) => match self.tree.node_kind(only)? {
                NodeKind::Text(text) => Some(text.as_ref()),
                NodeKind::Document
                | NodeKind::Element(_)
                | NodeKind::CData(_)
                | NodeKind::Comment(_)
                | NodeKind::ProcessingInstruction(_)
                | NodeKind::Attribute(..) => None,
            },
            (Some(_), Some(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_attributes_are_those_of_their_namespaces() {
        let text = b"<a xmlns='u:x' xmlns:p='u:p'><p:b ID='1' p:c='wrong' c='right'/>\n<b/></a>";
        let document = Document::parse(text).unwrap();
        let root = document.root().unwrap();
        let children = root.children().unwrap();
        assert!(children[0].is("u:p", "b") && children[1].is("u:x", "b"));
        assert_eq!(children[0].attribute("c"), Some("right"));
        assert_eq!(children[1].attribute("c"), None);
        assert_eq!(children[0].parent(), Some(root));
        let names: Vec<String> = children[0].attribute_names().collect();
        assert_eq!(names, ["ID", "p:c", "c"]);
    }

    #[test]
    fn text_is_whole_or_not_there() {
        let text = |inside: &str| {
            let document = format!("<a>{inside}</a>");
            let document = Document::parse(document.as_bytes()).unwrap();
            document.root().unwrap().text().map(str::to_owned)
        };
        assert_eq!(text("").as_deref(), Some(""));
        assert_eq!(text("x&amp;&#x79; z").as_deref(), Some("x&y z"));
        assert_eq!(text("x<b/>y"), None);
        assert_eq!(text("<b/>"), None);
    }

    #[test]
    fn what_has_two_meanings_is_refused() {
        for (text, expected) in [
            ("<a ID='1'><b ID='1'/></a>", Flaw::DuplicateId),
            ("<a ID='1'><b id='1'/></a>", Flaw::DuplicateId),
            ("<a xml:id='1'/>", Flaw::DuplicateId),
            ("<a xmlns:u='u:u' u:Id='1'/>", Flaw::DuplicateId),
            ("<a xmlns:u='relative'/>", Flaw::Namespace),
            ("<a b='1' b='2'/>", Flaw::Broken),
            ("<a>&undeclared;</a>", Flaw::Broken),
            ("<u:a/>", Flaw::Broken),
            ("<a/><b/>", Flaw::Broken),
            ("<a/>text", Flaw::Broken),
            ("<a></b>", Flaw::Broken),
            ("<a>&#0;</a>", Flaw::Broken),
            ("<a>\u{1}</a>", Flaw::Broken),
        ] {
            assert_eq!(
                Document::parse(text.as_bytes()).map(|_| ()),
                Err(expected),
                "{text}"
            );
        }
        let mixed = Document::parse(b"<a>x<b/></a>").unwrap();
        assert_eq!(mixed.root().unwrap().children(), Err(Flaw::Broken));
    }
}
