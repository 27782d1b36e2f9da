//! What `lib/pq` 1.12 makes of the same DSNs.

use proptest::prelude::*;

use super::{Host, PostgresDsn, SessionKind, TlsMode};
use crate::secret::Secret;

fn parse(dsn: &str) -> PostgresDsn {
    PostgresDsn::parse(dsn).unwrap_or_else(|error| panic!("{dsn}: {error}"))
}

/// User, password, target and settings.
fn check(dsn: &str, user: &str, password: &str, target: &str, parameters: &[(&str, &str)]) {
    let read = parse(dsn);
    let secret = read.password.as_ref().map_or("", |password| password.reveal());
    assert_eq!((&*read.user, secret, &*read.target()), (user, password, target), "{dsn}");
    let given: Vec<_> = read.parameters.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(given, parameters, "{dsn}");
}

#[test]
fn urls_are_read() {
    check("postgres://u@", "u", "", "localhost:5432", &[]);
    check("postgresql://u:p@db:6000/app", "u", "p", "db:6000/app", &[]);
    check("postgres://u:p%40%2F%3A%25@db/app", "u", "p@/:%", "db:5432/app", &[]);
    check("postgres://u:a@b@db/app", "u", "a@b", "db:5432/app", &[]);
    check("postgres://u:p@[::1]:7000/app", "u", "p", "[::1]:7000/app", &[]);
    check("postgres://u:p@[::1]/", "u", "p", "[::1]:5432", &[]);
    check("postgres:///app?host=/run/pg&user=u", "u", "", "/run/pg/.s.PGSQL.5432/app", &[]);
    check(
        "postgres://u@a,b/app?port=1,2&search_path=x%2Cy&work_mem=1+MB",
        "u",
        "",
        "a:1,b:2/app",
        &[("work_mem", "1 MB"), ("search_path", "x,y")],
    );
}

#[test]
fn pairs_are_read() {
    check("user=u password=p host=db port=6000 dbname=app", "u", "p", "db:6000/app", &[]);
    check("  user = u\n password = 'p q'  ", "u", "p q", "localhost:5432", &[]);
    check(r"user=u password='it\'s \\ it'", "u", r"it's \ it", "localhost:5432", &[]);
    check(r"user=a\ b password=p\'", "a b", "p'", "localhost:5432", &[]);
    check("user=u password='' dbname=", "u", "", "localhost:5432", &[]);
    check("user=u user=v", "v", "", "localhost:5432", &[]);
    check("user=u database=app", "u", "", "localhost:5432/app", &[]);
    check("user=u host=a,b port=1", "u", "", "a:1,b:1", &[]);
    check(
        "user=u statement_timeout=5 TimeZone='Europe/Berlin'",
        "u",
        "",
        "localhost:5432",
        &[("statement_timeout", "5"), ("TimeZone", "Europe/Berlin")],
    );
    check(
        "user=u datestyle='ISO, MDY' client_encoding=UTF8 binary_parameters=yes",
        "u",
        "",
        "localhost:5432",
        &[],
    );
}

#[test]
fn settings_of_the_connection() {
    for (setting, tls) in [
        ("", TlsMode::Require),
        ("sslmode=disable", TlsMode::Disable),
        ("sslmode=allow", TlsMode::Prefer),
        ("sslmode=prefer", TlsMode::Prefer),
        ("sslmode=require", TlsMode::Require),
        ("sslmode=verify-ca", TlsMode::VerifyCa),
        ("sslmode=verify-full", TlsMode::VerifyFull),
        ("sslrootcert=system", TlsMode::VerifyFull),
        ("sslrootcert=/ca.pem", TlsMode::Require),
    ] {
        assert_eq!(parse(&format!("user=u {setting}")).tls, tls, "{setting}");
        assert_eq!(parse(&format!("postgres://u@h/?{setting}")).tls, tls, "{setting}");
    }
    let dsn = parse(
        "user=u connect_timeout=3 application_name=a options='-c geqo=off' \
         target_session_attrs=read-write sslcert=c sslkey=k sslnegotiation=direct",
    );
    assert_eq!(dsn.connect_timeout.unwrap().as_secs(), 3);
    assert_eq!(dsn.application_name.as_deref(), Some("a"));
    assert_eq!(dsn.options, "-c geqo=off");
    assert_eq!(dsn.session, SessionKind::ReadWrite);
    assert!(dsn.tls_direct && dsn.client_cert.is_some());
    let named = parse("user=u host=db hostaddr=10.0.0.1 fallback_application_name=f");
    let address = Some("10.0.0.1".parse().unwrap());
    assert_eq!(named.hosts, [Host::Tcp { name: "db".into(), address, port: 5432 }]);
    assert_eq!(named.application_name.as_deref(), Some("f"));
    assert_eq!(parse("user=u connect_timeout=0").connect_timeout, None);
}

#[test]
fn what_is_wrong_is_named() {
    for (dsn, error) in [
        ("", "user: name the user to log in as"),
        ("postgres://h/app", "user: name the user to log in as"),
        ("s3cret", "form: write postgres://user:password@host/database or key=value pairs"),
        (
            "user=u s3 cret=x",
            "form: write postgres://user:password@host/database or key=value pairs",
        ),
        ("user=u password='s3cret", "form: a quote is not closed"),
        ("user=u password=s3cret\\", "form: a backslash ends the text"),
        ("user=u port=s3cret", "port: write a number from 1 to 65535"),
        ("user=u port=0", "port: write a number from 1 to 65535"),
        ("postgres://u:s3/cret@h/", "port: write a number from 1 to 65535"),
        ("postgres://u:s3%cret@h/", "password: a percent escape is broken"),
        ("user=u hostaddr=s3cret", "hostaddr: write an IP address"),
        ("user=u host='s3 cret'", "host: write the name or the address of a host"),
        (
            "user=u host=a,b port=1,2,3",
            "host: give as many of host, hostaddr and port, or one port for all",
        ),
        (
            "user=u sslmode=s3cret",
            "sslmode: write one of disable, allow, prefer, require, verify-ca, verify-full",
        ),
        ("user=u connect_timeout=s3cret", "connect_timeout: write a number of seconds"),
        ("user=u service=s3cret", "service: this is not supported"),
        ("user=u sslcert=s3cret", "sslcert: give sslcert and sslkey, or none of them"),
        (
            "user=u s3-cret=x",
            "settings: one is written as no setting of PostgreSQL is; quote values with blanks",
        ),
    ] {
        assert_eq!(PostgresDsn::parse(dsn).unwrap_err().to_string(), error, "{dsn}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text: String) {
        let _ = PostgresDsn::parse(&text);
        let _ = PostgresDsn::parse(&format!("postgres://{text}"));
    }

    /// Wherever a mistake puts the password, nothing shows it.
    #[test]
    fn nothing_shows_the_password(
        before in "[a-z:/@?=' &]{0,12}",
        middle in "[ :/@?=&%'\\\\#]{0,3}",
        after in "[a-z:/@?=' &]{0,12}",
        url: bool,
    ) {
        let scheme = if url { "postgres://" } else { "" };
        let dsn = format!("{scheme}{before}password=S3CRET{middle}S3CRET{after}");
        match PostgresDsn::parse(&dsn) {
            Ok(read) => {
                let shown = format!("{:?}", read.password);
                prop_assert!(!shown.contains("S3CRET"), "{shown}");
            }
            Err(error) => prop_assert!(!error.to_string().contains("S3CRET"), "{error}"),
        }
    }

    #[test]
    fn any_password_is_read_back(password in "[ -~é]{1,20}") {
        let quoted = password.replace('\\', r"\\").replace('\'', r"\'");
        let read = parse(&format!("user=u password='{quoted}'"));
        prop_assert_eq!(read.password, Some(Secret::new(&*password)));
        let escaped: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let read = parse(&format!("postgres://u:{escaped}@h/d"));
        prop_assert_eq!(read.password, Some(Secret::new(&*password)));
    }
}
