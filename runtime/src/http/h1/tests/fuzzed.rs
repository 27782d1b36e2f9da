//! The fuzz target's checks on its seeds and on streams put together from the parts that parsers trip over.

use proptest::prelude::*;

#[path = "../../../../../tests/fuzz/checks/h1_request.rs"]
mod check;

const PARTS: &[&[u8]] = &[
    b"GET ",
    b"POST ",
    b"OPTIONS ",
    b"CONNECT ",
    b"X ",
    b"/",
    b"*",
    b"http://a",
    b"a:443",
    b"?",
    b"#",
    b" ",
    b"\t",
    b"HTTP/1.1\r\n",
    b"HTTP/1.0\r\n",
    b"HTTP/2.0\r\n",
    b" HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\n",
    b"POST / HTTP/1.0\r\n",
    b"Host: a\r\n",
    b"Host: [::1]:80\r\n",
    b"Host:",
    b"Content-Length: 5\r\n",
    b"Content-Length:",
    b"5",
    b"0",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, ",
    b"chunked",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Expect:",
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b":",
    b",",
    b";",
    b"=",
    b"\"",
    b"\\",
    b"hello",
    b"5\r\nhello\r\n",
    b"5;a=\"b\"\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nX: a\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"X: a\r\n",
    b"X : a\r\n",
    b" folded\r\n",
    b"\xff",
    b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
];

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        20 => proptest::sample::select(PARTS).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ];
    (any::<u8>(), proptest::collection::vec(part, 0..40)).prop_map(|(seed, parts)| {
        let mut input = vec![seed];
        input.extend(parts.concat());
        input
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_bytes_in_any_split(input in stream()) {
        check::check(&input);
    }
}

#[test]
fn seeds() {
    // At run time: with one target directory for several checkouts it may have been compiled in another one.
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("tests are run by cargo");
    let corpus = format!("{package}/../tests/fuzz/corpus/h1_request");
    let mut seeds = 0;
    for entry in std::fs::read_dir(&corpus).unwrap() {
        check::check(&std::fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {corpus}");
}
