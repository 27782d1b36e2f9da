//! The Content-Type of an answer, told from its first bytes.
//!
//! The table is that of Go's `http.DetectContentType`, which follows <https://mimesniff.spec.whatwg.org/>: clients of a
//! Tarmac function see the types they saw before. Text and JSON, the usual answers, are told by one pass.

const SNIFF_BYTES_MAX: usize = 512;
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The type, none for an empty body.
pub fn sniff_content_type(body: &[u8]) -> Option<&'static str> {
    let first = *body.first()?;
    let body = &body[..body.len().min(SNIFF_BYTES_MAX)];
    let known = if may_be_signature(first, body) { known_type(body) } else { None };
    Some(known.unwrap_or_else(|| if is_text(body) { TEXT } else { "application/octet-stream" }))
}

/// False only when no row of the tables can match.
fn may_be_signature(first: u8, body: &[u8]) -> bool {
    STARTS[usize::from(first)] || is_embedded_opentype(body)
}

/// Every byte that a signature, or white space before markup, starts with.
static STARTS: [bool; 256] = {
    let mut starts = [false; 256];
    let others = b"<\t\n\x0c\r ";
    let mut at = 0;
    while at < others.len() {
        starts[others[at] as usize] = true;
        at += 1;
    }
    let mut at = 0;
    while at < SIGNATURES.len() {
        starts[SIGNATURES[at].prefix[0] as usize] = true;
        at += 1;
    }
    // The length of an MP4's first box, at most 512.
    starts[0] = true;
    starts
};

fn known_type(body: &[u8]) -> Option<&'static str> {
    markup_type(body.trim_ascii_start()).or_else(|| {
        let (media, archives) = SIGNATURES.split_at(FONTS_FROM);
        first_match(media, body)
            .or_else(|| is_mp4(body).then_some("video/mp4"))
            .or_else(|| is_embedded_opentype(body).then_some("application/vnd.ms-fontobject"))
            .or_else(|| first_match(archives, body))
    })
}

fn first_match(signatures: &[Signature], body: &[u8]) -> Option<&'static str> {
    signatures.iter().find(|signature| signature.matches(body)).map(|found| found.content_type)
}

/// Tags match in any case and must be followed by a space or `>`; a comment's start counts as one.
fn markup_type(body: &[u8]) -> Option<&'static str> {
    const TAGS: [&[u8]; 17] = [
        b"!DOCTYPE HTML",
        b"HTML",
        b"HEAD",
        b"SCRIPT",
        b"IFRAME",
        b"H1",
        b"DIV",
        b"FONT",
        b"TABLE",
        b"A",
        b"STYLE",
        b"TITLE",
        b"B",
        b"BODY",
        b"BR",
        b"P",
        b"!--",
    ];
    let tag = body.strip_prefix(b"<")?;
    let is_tag = |name: &&[u8]| {
        tag.split_at_checked(name.len()).is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(name) && matches!(rest.first(), Some(b' ' | b'>'))
        })
    };
    if TAGS.iter().any(is_tag) {
        return Some(HTML);
    }
    tag.starts_with(b"?xml").then_some("text/xml; charset=utf-8")
}

/// Bytes at the start and, past some that may be anything, more bytes at `then_at`.
struct Signature {
    prefix: &'static [u8],
    then_at: usize,
    then: &'static [u8],
    content_type: &'static str,
}

impl Signature {
    const fn new(prefix: &'static [u8], content_type: &'static str) -> Signature {
        Signature { prefix, then_at: 0, then: b"", content_type }
    }

    const fn then(self, then_at: usize, then: &'static [u8]) -> Signature {
        Signature { then_at, then, ..self }
    }

    fn matches(&self, body: &[u8]) -> bool {
        body.starts_with(self.prefix)
            && body.get(self.then_at..).is_some_and(|rest| rest.starts_with(self.then))
    }
}

/// Where in [`SIGNATURES`] MP4 and Embedded OpenType, which have checks of their own, come in between.
const FONTS_FROM: usize = 20;

static SIGNATURES: [Signature; 30] = [
    Signature::new(b"%PDF-", "application/pdf"),
    Signature::new(b"%!PS-Adobe-", "application/postscript"),
    // A byte order mark alone is not enough: four bytes are looked at.
    Signature::new(b"\xfe\xff", "text/plain; charset=utf-16be").then(4, b""),
    Signature::new(b"\xff\xfe", "text/plain; charset=utf-16le").then(4, b""),
    Signature::new(b"\xef\xbb\xbf", TEXT).then(4, b""),
    Signature::new(b"\0\0\x01\0", "image/x-icon"),
    Signature::new(b"\0\0\x02\0", "image/x-icon"),
    Signature::new(b"BM", "image/bmp"),
    Signature::new(b"GIF87a", "image/gif"),
    Signature::new(b"GIF89a", "image/gif"),
    Signature::new(b"RIFF", "image/webp").then(8, b"WEBPVP"),
    Signature::new(b"\x89PNG\r\n\x1a\n", "image/png"),
    Signature::new(b"\xff\xd8\xff", "image/jpeg"),
    Signature::new(b"FORM", "audio/aiff").then(8, b"AIFF"),
    Signature::new(b"ID3", "audio/mpeg"),
    Signature::new(b"OggS\0", "application/ogg"),
    Signature::new(b"MThd\0\0\0\x06", "audio/midi"),
    Signature::new(b"RIFF", "video/avi").then(8, b"AVI "),
    Signature::new(b"RIFF", "audio/wave").then(8, b"WAVE"),
    Signature::new(b"\x1a\x45\xdf\xa3", "video/webm"),
    Signature::new(b"\0\x01\0\0", "font/ttf"),
    Signature::new(b"OTTO", "font/otf"),
    Signature::new(b"ttcf", "font/collection"),
    Signature::new(b"wOFF", "font/woff"),
    Signature::new(b"wOF2", "font/woff2"),
    Signature::new(b"\x1f\x8b\x08", "application/x-gzip"),
    Signature::new(b"PK\x03\x04", "application/zip"),
    Signature::new(b"Rar!\x1a\x07\0", "application/x-rar-compressed"),
    Signature::new(b"Rar!\x1a\x07\x01\0", "application/x-rar-compressed"),
    Signature::new(b"\0asm", "application/wasm"),
];

/// An `ftyp` box with an `mp4` brand; the minor version at 12 is not a brand.
fn is_mp4(body: &[u8]) -> bool {
    let Some((size, rest)) = body.split_first_chunk::<4>() else { return false };
    let size = u32::from_be_bytes(*size) as usize;
    if body.len() < 12 || !size.is_multiple_of(4) || body.len() < size || !rest.starts_with(b"ftyp")
    {
        return false;
    }
    (8..size).step_by(4).any(|at| at != 12 && body[at..].starts_with(b"mp4"))
}

/// `LP` at 34, whatever stands before it: Go's mask ignores those bytes.
fn is_embedded_opentype(body: &[u8]) -> bool {
    body.get(34..36) == Some(b"LP")
}

/// No control bytes but those of text and terminals. Written without an early exit, so that it is vectorised.
fn is_text(body: &[u8]) -> bool {
    let is_binary = |byte: u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    !body.iter().fold(false, |binary, byte| binary | is_binary(*byte))
}

#[cfg(test)]
mod tests;
