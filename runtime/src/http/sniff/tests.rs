//! Rows checked against Go 1.26's `http.DetectContentType`.

use super::sniff_content_type;

const BINARY: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const XML: &str = "text/xml; charset=utf-8";

fn check(rows: &[(&[u8], &str)]) {
    for (body, expected) in rows {
        assert_eq!(sniff_content_type(body), Some(*expected), "{}", body.escape_ascii());
    }
}

#[test]
fn an_empty_body_has_no_type() {
    assert_eq!(sniff_content_type(b""), None);
}

#[test]
fn text_and_binary() {
    check(&[
        (b"hello", TEXT),
        (br#"{"a": [1, "b"]}"#, TEXT),
        (b"[1]", TEXT),
        (b" \t\r\n", TEXT),
        ("caf\u{e9} \u{2603}".as_bytes(), TEXT),
        (b"\xff\xfe\xfd", TEXT),
        (b"\x1b[0m", TEXT),
        (b"a\x7f", TEXT),
        (b"a\0", BINARY),
        (b"a\x08", BINARY),
        (b"a\x0b", BINARY),
        (b"a\x0e", BINARY),
        (b"a\x1a", BINARY),
        (b"a\x1c", BINARY),
        (b"\x01\x02\x03", BINARY),
        (b"  \x01", BINARY),
    ]);
}

#[test]
fn only_the_first_512_bytes_count() {
    let mut body = vec![b'a'; 512];
    body.push(0);
    check(&[(&body, TEXT)]);
    body[511] = 0;
    check(&[(&body, BINARY)]);
}

#[test]
fn markup() {
    check(&[
        (b"<html>", HTML),
        (b"<HtMl lang=en>", HTML),
        (b"\r\n \t\x0c<!doctype html>", HTML),
        (b"<!-- a", HTML),
        (b"<!-->", HTML),
        (b"<!--a", TEXT),
        (b"<h1>", HTML),
        (b"<p>", HTML),
        (b"<a href=b>", HTML),
        (b"<br/>", TEXT),
        (b"<htmlx>", TEXT),
        (b"<html", TEXT),
        (b"<html\t>", TEXT),
        (b"x<html>", TEXT),
        (b"<?xml version=1?>", XML),
        (b"\n<?xml!", XML),
        (b"<?XML", TEXT),
        (b"<svg>", TEXT),
        (b"<html>\0", HTML),
        (b"<x>\0", BINARY),
    ]);
}

#[test]
fn signatures() {
    check(&[
        (b"%PDF-1.7", "application/pdf"),
        (b"%PDF", TEXT),
        (b" %PDF-1.7", TEXT),
        (b"%!PS-Adobe-3", "application/postscript"),
        (b"\xfe\xff\0a", "text/plain; charset=utf-16be"),
        (b"\xff\xfea\0", "text/plain; charset=utf-16le"),
        (b"\xfe\xff\0", BINARY),
        (b"\xef\xbb\xbf\0", TEXT),
        (b"\xef\xbb\xbf", TEXT),
        (b"\0\0\x01\0", "image/x-icon"),
        (b"\0\0\x02\0", "image/x-icon"),
        (b"BM", "image/bmp"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a...", "image/gif"),
        (b"GIF88a", TEXT),
        (b"RIFF\0\0\0\0WEBPVP8", "image/webp"),
        (b"RIFF\0\0\0\0WEBPV", BINARY),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"FORM\x01\x02\x03\x04AIFF", "audio/aiff"),
        (b"ID3\x04", "audio/mpeg"),
        (b"OggS\0", "application/ogg"),
        (b"MThd\0\0\0\x06", "audio/midi"),
        (b"RIFFabcdAVI ", "video/avi"),
        (b"RIFFabcdWAVE", "audio/wave"),
        (b"RIFFabcdWAVY", TEXT),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"\0\x01\0\0", "font/ttf"),
        (b"OTTO", "font/otf"),
        (b"ttcf", "font/collection"),
        (b"wOFF", "font/woff"),
        (b"wOF2", "font/woff2"),
        (b"\x1f\x8b\x08", "application/x-gzip"),
        (b"PK\x03\x04", "application/zip"),
        (b"Rar!\x1a\x07\0", "application/x-rar-compressed"),
        (b"Rar!\x1a\x07\x01\0", "application/x-rar-compressed"),
        (b"\0asm\x01\0\0\0", "application/wasm"),
    ]);
}

#[test]
fn mp4_and_embedded_opentype() {
    check(&[
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", "video/mp4"),
        (b"\0\0\0\x18ftypisomMMMMavc1mp41", "video/mp4"),
        (b"\0\0\0\x14ftypisommp42avc1", BINARY),
        (b"\0\0\0\x18ftypmp42", BINARY),
        (b"\0\0\0\x0cftypmp4", BINARY),
        (b"\0\0\0\x0cftypmp42", "video/mp4"),
        (b"\0\0\0\x0dftypmp42x", BINARY),
        (b"0123456789012345678901234567890123LP", "application/vnd.ms-fontobject"),
        (b"0123456789012345678901234567890123L", TEXT),
        (b"<html>6789012345678901234567890123LP", HTML),
        (b"OTTO456789012345678901234567890123LP", "application/vnd.ms-fontobject"),
        (b"BM23456789012345678901234567890123LP", "image/bmp"),
    ]);
}
