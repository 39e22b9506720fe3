//! `sprintf` as Go's package `fmt` writes: flags, widths, precisions, indexes, and what it says of a wrong verb.
//!
//! Numbers come as OPA hands them over: integers of 64 bits, larger ones as `*big.Int`, others as `float64`; whatever
//! is no number and no text is written in Rego first. `number` and `text` write one argument each, `quote` quotes.

mod float;
mod number;
mod quote;
mod text;

use std::fmt::Write as _;

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin, interpolate};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "sprintf",
    arity: 2,
    call: sprintf,
}];

/// Longest text: a width of a million costs seven letters of a format.
const LONGEST: usize = 16 << 20;
/// Largest width and precision, as in Go.
const WIDEST: i64 = 1_000_000;

/// One argument.
#[derive(Debug)]
enum Arg {
    Int(i64),
    /// In decimal.
    Big(String, Value),
    Float(f64),
    Text(String),
}

/// What stands between `%` and the verb.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the format")]
#[derive(Debug, Default, Clone)]
struct Flags {
    sharp: bool,
    zero: bool,
    plus: bool,
    minus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

fn sprintf(arguments: &Arguments<'_>) -> Answer {
    let format = arguments.string(1)?;
    let args: Vec<Arg> = arguments.array(2)?.iter().map(Arg::of).collect();
    let mut printer = Printer {
        out: String::new(),
        format: format.as_bytes(),
        args: &args,
        at: 0,
        next: 0,
        good: true,
        reordered: false,
    };
    printer.all(format)?;
    Ok(Value::from(printer.out))
}

impl Arg {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.to_string()),
            Value::Number(number) => {
                let decimal = number.format_decimal();
                match (number.as_i64(), number.as_big()) {
                    (Some(whole), _) => Self::Int(whole),
                    (None, Some(_)) => Self::Big(decimal, value.clone()),
                    (None, None) => decimal.parse().map_or(Self::Text(decimal), Self::Float),
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Array(_)
            | Value::Set(_)
            | Value::Object(_)
            | Value::Undefined => Self::Text(interpolate::written(value)),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "int64",
            Self::Big(..) => "*big.Int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
        }
    }
}

struct Printer<'a> {
    out: String,
    format: &'a [u8],
    args: &'a [Arg],
    /// In the format.
    at: usize,
    /// The next argument.
    next: usize,
    /// Whether the index of an argument was one.
    good: bool,
    reordered: bool,
}

impl Printer<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn all(&mut self, format: &str) -> Result<(), Fault> {
        while let Some(rest) = format.get(self.at..).filter(|rest| !rest.is_empty()) {
            let plain = rest.find('%').unwrap_or(rest.len());
            self.out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.peek().is_some() {
                self.at += 1;
                self.verb(format);
            }
            if self.out.len() > LONGEST {
                return Err(Fault::Limit(format!("a text of more than {LONGEST} bytes")));
            }
        }
        self.extra();
        Ok(())
    }

    /// Behind a `%`.
    fn verb(&mut self, format: &str) {
        self.good = true;
        let mut flags = Flags::default();
        while let Some(sign) = self.peek() {
            match sign {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut indexed = self.index();
        indexed = self.width(&mut flags, indexed);
        indexed = self.precision(&mut flags, indexed);
        if !indexed {
            self.index();
        }
        let Some(verb) = format.get(self.at..).and_then(|rest| rest.chars().next()) else {
            self.out.push_str("%!(NOVERB)");
            self.at = self.format.len();
            return;
        };
        self.at += verb.len_utf8();
        if verb == '%' {
            self.out.push('%');
        } else if !self.good {
            let _ = write!(self.out, "%!{verb}(BADINDEX)");
        } else if let Some(arg) = self.args.get(self.next) {
            arg.print(&mut self.out, verb, &flags);
            self.next += 1;
        } else {
            let _ = write!(self.out, "%!{verb}(MISSING)");
        }
    }

    /// `[n]`: whether there was one.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.format.get(self.at..).unwrap_or_default();
        let Some(close) = rest
            .iter()
            .position(|sign| *sign == b']')
            .filter(|_| rest.len() >= 3)
        else {
            self.good = false;
            self.at += 1;
            return false;
        };
        let number = rest.get(1..close).and_then(digits);
        self.at += close + 1;
        let index = number.and_then(|number| usize::try_from(number - 1).ok());
        match index.filter(|index| *index < self.args.len()) {
            Some(index) => self.next = index,
            None => self.good = false,
        }
        number.is_some()
    }

    fn width(&mut self, flags: &mut Flags, indexed: bool) -> bool {
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.given() {
                Some(width) => {
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
            return false;
        }
        flags.width = self.number();
        if indexed && flags.width.is_some() {
            self.good = false;
        }
        indexed
    }

    fn precision(&mut self, flags: &mut Flags, indexed: bool) -> bool {
        // A point at the end of the format is the verb.
        if self.peek() != Some(b'.') || self.at + 1 >= self.format.len() {
            return indexed;
        }
        self.at += 1;
        if indexed {
            self.good = false;
        }
        let indexed = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            let given = self.given();
            flags.precision = given.and_then(|given| usize::try_from(given).ok());
            if flags.precision.is_none() {
                self.out.push_str("%!(BADPREC)");
            }
            return false;
        }
        flags.precision = Some(self.number().unwrap_or(0));
        indexed
    }

    fn given(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        match arg {
            Arg::Int(number) => Some(*number).filter(|number| (-WIDEST..=WIDEST).contains(number)),
            Arg::Big(..) | Arg::Float(_) | Arg::Text(_) => None,
        }
    }

    /// A number in the format; one that is too large ends the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let mut number: Option<i64> = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            let before = number.unwrap_or(0);
            if before > WIDEST {
                self.at = self.format.len();
                return None;
            }
            number = Some(before * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        usize::try_from(number?).ok()
    }

    /// Arguments that no verb took.
    fn extra(&mut self) {
        let left = self.args.get(self.next..).unwrap_or_default();
        if self.reordered || left.is_empty() {
            return;
        }
        self.out.push_str("%!(EXTRA ");
        for (at, arg) in left.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            let _ = write!(self.out, "{}=", arg.kind());
            arg.print(&mut self.out, 'v', &Flags::default());
        }
        self.out.push(')');
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl Arg {
    fn print(&self, out: &mut String, verb: char, flags: &Flags) {
        if verb == 'T' {
            return flags.pad(out, self.kind());
        }
        // Go's syntax of a value differs only for texts here; a large integer takes the plus all the same.
        let (mut flags, mut verb) = (flags.clone(), verb);
        if matches!(verb, 'v' | 'w') {
            let go = std::mem::take(&mut flags.sharp);
            flags.plus &= matches!(self, Self::Big(..));
            if go && matches!(self, Self::Text(_)) && verb == 'v' {
                verb = 'q';
            }
        }
        self.raw(out, verb, &flags);
    }

    fn raw(&self, out: &mut String, verb: char, flags: &Flags) {
        let done = match self {
            Self::Int(number) => number::int(out, *number, verb, flags),
            Self::Big(decimal, value) => {
                number::big(out, (decimal, value), verb, flags);
                true
            }
            Self::Float(number) => float::print(out, *number, verb, flags),
            Self::Text(text) => text::print(out, text, verb, flags),
        };
        if !done {
            let _ = write!(out, "%!{verb}({}=", self.kind());
            self.raw(out, 'v', flags);
            out.push(')');
        }
    }
}

impl Flags {
    /// With blanks, or zeros to the left, up to the width.
    fn pad(&self, out: &mut String, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push_str(text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else {
            let with = if self.zero { '0' } else { ' ' };
            out.extend(std::iter::repeat_n(with, missing));
            out.push_str(text);
        }
    }

    /// With blanks.
    fn pad_blank(&self, out: &mut String, text: &str) {
        let blank = Self {
            zero: false,
            ..self.clone()
        };
        blank.pad(out, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_beyond_what_rust_formats_is_padded_as_in_go() {
        let said = |format: &str, number: Value| {
            let arguments = [Value::from(format), Value::from(vec![number])];
            match sprintf(&Arguments::of(&arguments)) {
                Ok(Value::String(text)) => text.to_string(),
                other => panic!("{format}: {other:?}"),
            }
        };
        let half = || Value::from(0.5);
        let zeros = |count: usize| "0".repeat(count);
        assert_eq!(said("%.70000f", half()), format!("0.5{}", zeros(69_999)));
        assert_eq!(said("%.70000e", half()), format!("5.{}e-01", zeros(70_000)));
        assert_eq!(said("%.70000g", half()), "0.5");
        assert_eq!(
            said("%.70000U", Value::from(255)),
            format!("U+{}FF", zeros(69_998))
        );
        assert_eq!(said("%.70000d", Value::from(7)), format!("{}7", zeros(69_999)));
    }
}
