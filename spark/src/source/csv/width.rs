//! How many fields the records of a CSV file have.
//!
//! It looks at bytes only, with the rules of the reader that will decode them; it knows no schema.

/// The bytes with a meaning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Record,
    Comment,
    Field,
    Plain,
    Quoted,
    Escaped,
    /// After a quote within quotes: the end of the quoted part or the first half of a doubled quote.
    Closing,
}

/// Fields of the longest record.
pub(super) fn widest(bytes: &[u8], marks: Marks) -> usize {
    let (mut widest, mut fields) = (0, 0);
    let mut state = State::Record;
    for byte in bytes {
        let byte = *byte;
        let end = matches!(byte, b'\n' | b'\r');
        state = match state {
            State::Record if end => State::Record,
            State::Record if marks.comment == Some(byte) => State::Comment,
            State::Comment => match byte {
                b'\n' => State::Record,
                _ => State::Comment,
            },
            State::Quoted if marks.escape == Some(byte) => State::Escaped,
            State::Quoted if byte == marks.quote => State::Closing,
            State::Quoted | State::Escaped => State::Quoted,
            State::Closing if byte == marks.quote => State::Quoted,
            State::Record | State::Field | State::Plain | State::Closing => {
                if matches!(state, State::Record) {
                    fields = 1;
                }
                let first = matches!(state, State::Record | State::Field);
                if first && byte == marks.quote {
                    State::Quoted
                } else if byte == marks.delimiter {
                    fields += 1;
                    State::Field
                } else if end {
                    State::Record
                } else {
                    State::Plain
                }
            }
        };
        widest = widest.max(fields);
    }
    widest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_the_reader_counts() {
        let marks = Marks { delimiter: b',', quote: b'"', escape: Some(b'\\'), comment: Some(b'#') };
        assert_eq!(widest(b"", marks), 0);
        assert_eq!(widest(b"a", marks), 1);
        assert_eq!(widest(b"\r\n\n,\r\n", marks), 2);
        assert_eq!(widest(b"a,b\n1,2,3\n4", marks), 3);
        assert_eq!(widest(b"#a,b,c,d\n\"x,\"\"y\",\"\\\",\n,\",z\"z\n", marks), 3);
    }
}
