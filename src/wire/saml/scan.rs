//! A document's bytes, looked at once before any parser sees them.
//!
//! One loop over `<`, without recursion: a tree of 20,000 levels must not reach a parser that may overflow its stack,
//! nor a document type a parser that may expand entities or fetch them. Comments, CDATA sections and processing
//! instructions are refused wherever they stand: no message has them, and they are what makes one program read
//! `admin` where another reads `admin<!---->.example`.

/// Longest document, in bytes.
pub const LONGEST: usize = 1024 * 1024;
/// Most levels.
pub const DEEPEST: usize = 40;
/// Most elements: with the text between them 60,000 nodes.
const MOST_ELEMENTS: usize = 30_000;
/// Most attributes of one element, declarations of namespaces among them. Parsers compare each with each.
const MOST_ATTRIBUTES: usize = 64;

/// Why a document is not looked at any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is longer than [`LONGEST`].
    #[error("the document is longer than 1 MiB")]
    TooLong,
    /// It is not UTF-8, or says that it is something else.
    #[error("the document is not in UTF-8")]
    Encoding,
    /// `<!DOCTYPE`, or any other declaration.
    #[error("the document has a document type declaration")]
    Doctype,
    /// `<!--`.
    #[error("the document has a comment")]
    Comment,
    /// `<![CDATA[`.
    #[error("the document has a CDATA section")]
    Cdata,
    /// `<?` anywhere but in the first line's XML declaration.
    #[error("the document has a processing instruction")]
    Instruction,
    /// More than [`DEEPEST`] levels.
    #[error("the document is nested deeper than 40 levels")]
    TooDeep,
    /// Too many elements, or attributes of one element.
    #[error("the document has too many elements or attributes")]
    TooMany,
    /// Something begins and does not end, or ends and has not begun.
    #[error("the document is not well-formed")]
    Broken,
}

/// The document as text, if a parser may see it.
pub fn text(bytes: &[u8]) -> Result<&str, Unfit> {
    if bytes.len() > LONGEST {
        return Err(Unfit::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit::Encoding)?;
    let mut rest = after_declaration(text)?.trim_start().as_bytes();
    let (mut depth, mut elements) = (0_usize, 0_usize);
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest.first() {
            Some(b'!') if rest.starts_with(b"!--") => return Err(Unfit::Comment),
            Some(b'!') if rest.starts_with(b"![CDATA[") => return Err(Unfit::Cdata),
            Some(b'!') => return Err(Unfit::Doctype),
            Some(b'?') => return Err(Unfit::Instruction),
            Some(b'/') => {
                depth = depth.checked_sub(1).ok_or(Unfit::Broken)?;
                let end = rest.iter().position(|byte| *byte == b'>').ok_or(Unfit::Broken)?;
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            Some(_) | None => {
                let (end, empty) = start_tag(rest)?;
                elements += 1;
                depth += 1;
                if depth > DEEPEST {
                    return Err(Unfit::TooDeep);
                }
                if elements > MOST_ELEMENTS {
                    return Err(Unfit::TooMany);
                }
                depth -= usize::from(empty);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
    }
    if depth == 0 && elements > 0 {
        Ok(text)
    } else {
        Err(Unfit::Broken)
    }
}

/// Where a start tag ends, and whether it is an element of its own (`/>`). A `>` in a value does not end it.
fn start_tag(rest: &[u8]) -> Result<(usize, bool), Unfit> {
    let (mut quote, mut values, mut before) = (None, 0_usize, b'<');
    for (at, byte) in rest.iter().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if *byte == open => quote = None,
            // Not even in a value may one stand (XML 1.0 §2.3).
            (_, b'<') => return Err(Unfit::Broken),
            (Some(_), _) => {}
            (None, b'"' | b'\'') => {
                quote = Some(*byte);
                values += 1;
                if values > MOST_ATTRIBUTES {
                    return Err(Unfit::TooMany);
                }
            }
            (None, b'>') => return Ok((at, before == b'/')),
            (None, _) => {}
        }
        before = *byte;
    }
    Err(Unfit::Broken)
}

/// What follows the XML declaration, if there is one. Only XML 1.0 in UTF-8: two programs that disagree about the
/// encoding read two documents.
fn after_declaration(text: &str) -> Result<&str, Unfit> {
    let Some(inside) = text.strip_prefix("<?xml") else {
        return if text.starts_with('<') {
            Ok(text)
        } else {
            Err(Unfit::Broken)
        };
    };
    if !inside.starts_with([' ', '\t', '\r', '\n']) {
        return Err(Unfit::Instruction);
    }
    let (inside, rest) = inside.split_once("?>").ok_or(Unfit::Broken)?;
    let mut parts = inside.split(['"', '\'']);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        match name.trim().trim_end_matches('=').trim_end() {
            "version" if value == "1.0" => {}
            "encoding" if value.eq_ignore_ascii_case("utf-8") => {}
            "standalone" => {}
            _ => return Err(Unfit::Encoding),
        }
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_document_passes_as_it_is() {
        for good in [
            "<a/>",
            "<a b='>' c=\"'/>'\"><b/>text &lt;&#65;</a>\n",
            "<?xml version=\"1.0\"?><a/>",
            "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<a></a>",
        ] {
            assert_eq!(text(good.as_bytes()), Ok(good), "{good}");
        }
    }

    #[test]
    fn what_no_parser_may_see_is_named() {
        let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
        let many = format!("<a>{}</a>", "<b/>".repeat(MOST_ELEMENTS));
        let wide: String = (0..65).map(|at| format!(" a{at}=''")).collect();
        let wide = format!("<a{wide}/>");
        let long = format!("<a>{}</a>", "x".repeat(LONGEST));
        let wrong: [(&str, Unfit); 22] = [
            (&deep, Unfit::TooDeep),
            (&many, Unfit::TooMany),
            (&wide, Unfit::TooMany),
            (&long, Unfit::TooLong),
            ("<!DOCTYPE a><a/>", Unfit::Doctype),
            ("<a><!ENTITY b 'c'></a>", Unfit::Doctype),
            ("<!doctype a><a/>", Unfit::Doctype),
            ("<a>x<!-- y -->z</a>", Unfit::Comment),
            ("<a><![CDATA[x]]></a>", Unfit::Cdata),
            ("<a><?php?></a>", Unfit::Instruction),
            ("<?xml-stylesheet href='x'?><a/>", Unfit::Instruction),
            ("<a/><?xml version='1.0'?>", Unfit::Instruction),
            ("<?xml version='1.1'?><a/>", Unfit::Encoding),
            ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Unfit::Encoding),
            ("<a", Unfit::Broken),
            ("<a b='>", Unfit::Broken),
            ("<a b='<'/>", Unfit::Broken),
            ("<a></a></a>", Unfit::Broken),
            ("<a><b></a>", Unfit::Broken),
            ("", Unfit::Broken),
            ("text", Unfit::Broken),
            ("\u{feff}<a/>", Unfit::Broken),
        ];
        for (document, expected) in wrong {
            let shown: String = document.chars().take(40).collect();
            assert_eq!(text(document.as_bytes()), Err(expected), "{shown}");
        }
        assert_eq!(text(b"<a>\xff</a>"), Err(Unfit::Encoding));
        // UTF-16, which parsers guess by its first bytes.
        assert_eq!(text(b"<\0a\0/\0>\0"), Err(Unfit::Broken));
    }

    #[test]
    fn the_deepest_and_the_widest_still_pass() {
        let deep = format!("{}{}", "<a>".repeat(DEEPEST), "</a>".repeat(DEEPEST));
        assert!(text(deep.as_bytes()).is_ok());
        let wide: String = (0..64).map(|at| format!(" a{at}=''")).collect();
        assert!(text(format!("<a{wide}/>").as_bytes()).is_ok());
    }
}
