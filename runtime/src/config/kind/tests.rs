//! Each kind of value: what it takes, what it refuses, and the words it refuses with.

use super::{Address, Cpus, Kind, List, Number, Permissions, Switch};

fn check<K: Kind<Value: PartialEq + std::fmt::Debug>>(
    kind: &K,
    text: &str,
    expected: Option<K::Value>,
) {
    assert_eq!(kind.parse(text).ok(), expected, "{text:?}");
}

#[test]
fn switches_are_written_as_in_go() {
    for (texts, value) in [
        (["1", "t", "T", "TRUE", "true", "True"], Some(true)),
        (["0", "f", "F", "FALSE", "false", "False"], Some(false)),
        (["", "yes", "on", "tRUE", "true ", "2"], None),
    ] {
        texts.iter().for_each(|text| check(&Switch(false), text, value));
    }
}

#[test]
fn numbers_have_bounds() {
    let number = Number { default: 5, min: 1, max: 10, why: "" };
    check(&number, "1", Some(1));
    check(&number, "10", Some(10));
    check(&number, "007", Some(7));
    for text in ["0", "11", "", "-1", "+5", "5.0", " 5", "99999999999999999999999999"] {
        check(&number, text, None);
    }
}

#[test]
fn permissions_are_octal() {
    check(&Permissions(0), "0600", Some(0o600));
    check(&Permissions(0), "640", Some(0o640));
    check(&Permissions(0), "0o777", Some(0o777));
    for text in ["0400", "384", "01777", "", "0x1ff", "+600", "-600"] {
        check(&Permissions(0), text, None);
    }
}

#[test]
fn addresses_are_written_as_in_go() {
    let address = Address { ip: [0; 4], port: 8443 };
    let expect = |text: &str| Some(text.parse().unwrap());
    check(&address, "127.0.0.1:80", expect("127.0.0.1:80"));
    check(&address, ":8080", expect("0.0.0.0:8080"));
    check(&address, "localhost:0", expect("127.0.0.1:0"));
    check(&address, "[::]:443", expect("[::]:443"));
    for text in ["", "8443", "example.com:80", "1.2.3.4", "1.2.3.4:70000", "::", ":"] {
        check(&address, text, None);
    }
}

#[test]
fn cpus_and_lists_split_at_commas_and_spaces() {
    check(&Cpus, "0-3,5", Some(vec![0, 1, 2, 3, 5]));
    check(&Cpus, "7 2", Some(vec![2, 7]));
    for text in ["", ",", "3-1", "0-1024", "1,1", "0-2,1", "a", "-1", "1-", "0-99999999999"] {
        check(&Cpus, text, None);
    }
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    check(&List, "a b,c,  d", words(&["a", "b", "c", "d"]));
    check(&List, "", words(&[]));
}
