//! What `go-sql-driver/mysql` 1.10 makes of the same DSNs.

use std::time::Duration;

use proptest::prelude::*;

use super::{MysqlDsn, TlsMode};
use crate::secret::Secret;

fn parse(dsn: &str) -> MysqlDsn {
    MysqlDsn::parse(dsn).unwrap_or_else(|error| panic!("{dsn}: {error}"))
}

#[test]
fn dsns_are_read() {
    for (dsn, user, password, target) in [
        ("/", "", "", "127.0.0.1:3306"),
        ("u@/app", "u", "", "127.0.0.1:3306/app"),
        ("u:p@tcp(db:6000)/app", "u", "p", "db:6000/app"),
        ("u:p@tcp(db)/app", "u", "p", "db:3306/app"),
        ("u:p@tcp(:6000)/app", "u", "p", "localhost:6000/app"),
        ("u:p@tcp([::1]:6000)/app", "u", "p", "[::1]:6000/app"),
        ("u:p@tcp/app", "u", "p", "127.0.0.1:3306/app"),
        ("u:p@unix(/run/my.sock)/app", "u", "p", "/run/my.sock/app"),
        ("u:p@unix/app", "u", "p", "/tmp/mysql.sock/app"),
        ("u:a:b@c/d?e=f(g)@tcp(db)/app", "u", "a:b@c/d?e=f(g)", "db:3306/app"),
        ("u:p@tcp(db)/a%2Fb", "u", "p", "db:3306/a/b"),
    ] {
        let read = parse(dsn);
        let secret = read.password.as_ref().map_or("", |password| password.reveal());
        assert_eq!((&*read.user, secret, &*read.target()), (user, password, target), "{dsn}");
    }
}

#[test]
fn settings_are_read() {
    let read = parse(
        "u@/d?parseTime=true&clientFoundRows=1&multiStatements=T&timeout=1m30.5s&readTimeout=5s\
         &charset=utf8mb4,utf8&collation=utf8mb4_bin&time_zone=%27%2B00%3A00%27&sql_mode=ANSI&x",
    );
    assert!(read.parse_time && read.found_rows && read.several_statements);
    assert_eq!(read.connect_timeout, Some(Duration::from_millis(90_500)));
    let setup = [
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
        "SET time_zone = '+00:00'",
        "SET sql_mode = ANSI",
    ];
    assert_eq!(read.setup, setup);
    for (setting, tls) in [
        ("", TlsMode::Disable),
        ("tls=false", TlsMode::Disable),
        ("tls=true", TlsMode::Verify),
        ("tls=skip-verify", TlsMode::SkipVerify),
        ("tls=Preferred", TlsMode::Preferred),
    ] {
        assert_eq!(parse(&format!("u@/d?{setting}")).tls, tls, "{setting}");
    }
    assert_eq!(parse("u@/d?timeout=0").connect_timeout, None);
}

#[test]
fn what_is_wrong_is_named() {
    for (dsn, error) in [
        ("", "form: write user:password@tcp(host:port)/database"),
        ("u:s3cret@tcp(db)", "form: write user:password@tcp(host:port)/database"),
        ("u:s3cret@tcp(db/app", "address: write tcp(host:port)"),
        ("u:s3cret@udp(db)/app", "address: write tcp(host:port)"),
        ("u:p@tcp(s3 cret)/app", "address: write tcp(host:port)"),
        ("u@/s3%cret", "database: a percent escape is broken"),
        ("u@/d?tls=s3cret", "tls: write one of true, false, skip-verify, preferred"),
        ("u@/d?parseTime=s3cret", "parseTime: write true or false"),
        ("u@/d?timeout=s3cret", "timeout: write a duration such as 5s or 500ms"),
        ("u@/d?timeout=", "timeout: write a duration such as 5s or 500ms"),
        ("u@/d?charset=s3-cret", "charset: write a name such as utf8mb4"),
        ("u@/d?loc=Local", "loc: only UTC is supported"),
        ("u@/d?allowAllFiles=true", "allowAllFiles: this is not supported"),
        ("u@/d?s3-cret=1", "settings: one is written as no variable of MySQL is"),
        ("u@/d?a=%s3", "settings: a percent escape is broken"),
    ] {
        assert_eq!(MysqlDsn::parse(dsn).unwrap_err().to_string(), error, "{dsn}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text: String) {
        let _ = MysqlDsn::parse(&text);
        let _ = MysqlDsn::parse(&format!("u:p@tcp(h)/d?{text}"));
    }

    #[test]
    fn any_password_is_read_back(password in "[ -~é]{1,20}") {
        let read = parse(&format!("u:{password}@tcp(h)/d"));
        prop_assert_eq!(read.password, Some(Secret::new(&*password)));
    }

    /// Wherever a mistake puts the password, no error shows it.
    #[test]
    fn no_error_shows_the_password(dsn in "[a-z:/@?=&()]{0,12}S3CRET[a-z:/@?=&()%]{0,12}") {
        if let Err(error) = MysqlDsn::parse(&dsn) {
            prop_assert!(!error.to_string().contains("S3CRET"), "{error}");
        }
    }
}
