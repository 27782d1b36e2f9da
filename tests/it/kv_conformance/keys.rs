//! Keys: odd ones, and many.

use std::thread;

use super::store::Store;
use crate::it::wire::{delete, get, keys, set};

/// Each would be lost, found twice or taken for another by a store that folds, trims, splits, expands or ends keys.
const ODD: [&str; 31] = [
    "plain",
    "PLAIN",
    "with-dash_and=equals",
    "a/path/to/it",
    "/absolute",
    "with.dots.in.it",
    ".dot",
    "dot.",
    "two..dots",
    " leading space",
    "trailing space ",
    "with  two spaces",
    "*",
    "?",
    "p*",
    "pl?in",
    "[a-z]lain",
    "\\*",
    "pla\\in",
    "{plain}",
    ">",
    "$KV.plain",
    "'; drop table hord; --",
    "\"quoted\"",
    "100%25",
    "schlüssel",
    "schlu\u{308}ssel",
    "鍵🔑",
    "tab\tand line\nand return\r",
    "nul\0in the middle",
    "\u{7f}\u{1}",
];

pub(super) fn odd_keys_are_kept_apart(store: &Store) {
    let long = "long/".repeat(60);
    let longer = format!("{long}er");
    let all: Vec<&str> = ODD.into_iter().chain([long.as_str(), longer.as_str()]).collect();
    let (mut taken, refused): (Vec<&str>, Vec<&str>) =
        all.iter().partition(|key| (store.takes)(key));
    taken.sort_unstable();
    let mut client = store.server.client();
    for key in &taken {
        assert_eq!(set(&mut client, key, format!("<{key}>")), Ok(()), "{key:?}");
    }
    for key in refused {
        let text = set(&mut client, key, "data").expect_err(key).text;
        assert!(text.starts_with("Unable to store data"), "{key:?}: {text}");
        assert!(text.contains("a key consists of"), "{key:?}: {text}");
        assert!(
            get(&mut client, key).expect_err(key).text.contains("a key consists of"),
            "{key:?}"
        );
        assert!(
            delete(&mut client, key).expect_err(key).text.contains("a key consists of"),
            "{key:?}"
        );
    }
    assert_eq!(keys(&mut client), Ok(taken.iter().copied().map(str::to_owned).collect()));
    // One by one, so that one that takes another with it is seen.
    while let Some(key) = taken.pop() {
        assert_eq!(get(&mut client, key), Ok(format!("<{key}>").into()), "{key:?}");
        assert_eq!(delete(&mut client, key), Ok(()), "{key:?}");
        assert!(get(&mut client, key).is_err(), "{key:?} is gone");
    }
    assert_eq!(keys(&mut client), Ok(vec![]));
}

pub(super) fn ten_thousand_keys_are_listed(store: &Store) {
    const WRITERS: usize = 16;
    const EACH: usize = 625;
    let key = |writer: usize, number: usize| format!("key-{writer}-{number}");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let mut client = store.server.client();
                for number in 0..EACH {
                    assert_eq!(set(&mut client, &key(writer, number), "value"), Ok(()));
                }
            });
        }
    });
    let numbers = (0..WRITERS).flat_map(|writer| (0..EACH).map(move |number| key(writer, number)));
    let mut expected: Vec<String> = numbers.collect();
    expected.sort_unstable();
    assert_eq!(expected.len(), 10_000);
    let listed = keys(&mut store.server.client()).expect("a list");
    assert_eq!(listed.len(), expected.len());
    assert!(listed == expected, "the number is right and the keys are not");
}
