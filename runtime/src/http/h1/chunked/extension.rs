//! The grammar of chunk extensions: `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`.
//!
//! Servers that skipped to the line's end instead have disagreed with proxies on where it is.

use crate::http::h1::syntax::{is_field_value, is_token};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    /// After `;`, before the name.
    Start,
    Name,
    AfterName,
    /// After `=`, before the value.
    ValueStart,
    Token,
    Quoted,
    Escaped,
    AfterValue,
}

impl Extension {
    /// None when the byte cannot stand here. The line's end is not asked for here, see [`Extension::may_end`].
    pub(super) fn next(self, byte: u8) -> Option<Extension> {
        let space = matches!(byte, b' ' | b'\t');
        Some(match self {
            Extension::Start if space => Extension::Start,
            Extension::Start | Extension::Name if is_token(byte) => Extension::Name,
            Extension::Name | Extension::AfterName if space => Extension::AfterName,
            Extension::Name | Extension::AfterName if byte == b'=' => Extension::ValueStart,
            Extension::ValueStart if space => Extension::ValueStart,
            Extension::ValueStart if byte == b'"' => Extension::Quoted,
            Extension::ValueStart | Extension::Token if is_token(byte) => Extension::Token,
            Extension::Token | Extension::AfterValue if space => Extension::AfterValue,
            Extension::Quoted if byte == b'"' => Extension::AfterValue,
            Extension::Quoted if byte == b'\\' => Extension::Escaped,
            Extension::Quoted | Extension::Escaped if is_field_value(byte) => Extension::Quoted,
            _ if byte == b';' && self.is_whole() => Extension::Start,
            _ => return None,
        })
    }

    /// The line may end here: not within an extension, nor after white space, which only another may follow.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Extension::Name | Extension::Token | Extension::AfterValue)
    }

    fn is_whole(self) -> bool {
        self.may_end() || self == Extension::AfterName
    }
}
