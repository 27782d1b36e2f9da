//! How a DSN leads to the database, and who is refused.

use airside_tests::harness::services::{Backend, Certificates, Postgres};

use super::{check_rows, database, server, setup};

#[test]
fn dsns_of_both_forms_connect() {
    let dsn = database("forms");
    let postgres = Postgres::shared();
    let (port, folder) = (postgres.daemon().port(), postgres.daemon().folder().display());
    for dsn in [
        dsn,
        format!(
            "user=app password='apppw' host=127.0.0.1 port={port} dbname=forms sslmode=disable"
        ),
        format!("postgresql://app:%61pppw@localhost:{port}/forms?sslmode=prefer"),
        format!("host={folder} user=app password=apppw port={port} dbname=forms"),
        format!("host=nowhere.invalid,127.0.0.1 user=app password=apppw port={port} dbname=forms"),
    ] {
        let more =
            if dsn.contains("://") { "&search_path=pg_catalog" } else { " search_path=pg_catalog" };
        let server = server(&format!("{dsn}{more}"));
        let rows = r#"[{"d":"Zm9ybXM=","s":"pg_catalog"}]"#;
        let select = "select current_database() d, current_setting('search_path') s";
        check_rows(&mut server.client(), select, "d,s", rows);
    }
}

#[test]
fn tls_is_what_sslmode_says() {
    drop(database("tls"));
    let port = Postgres::shared().daemon().port();
    let certificates = Certificates::shared();
    let (ours, other) = (certificates.authority(), certificates.other_authority());
    for (settings, encrypted) in [
        ("sslmode=disable", Some(false)),
        ("sslmode=prefer", Some(true)),
        ("sslmode=require", Some(true)),
        ("", Some(true)),
        (&format!("sslmode=verify-full&sslrootcert={ours}"), Some(true)),
        (&format!("sslmode=verify-ca&sslrootcert={ours}"), Some(true)),
        (&format!("sslrootcert={ours}"), Some(true)),
        ("sslmode=verify-full", None),
        ("sslmode=verify-ca", None),
        (&format!("sslmode=verify-ca&sslrootcert={other}"), None),
        (&format!("sslrootcert={other}"), None),
        ("sslmode=verify-ca&sslrootcert=/no/such/file", None),
    ] {
        let setup = setup(&format!("postgres://app:apppw@localhost:{port}/tls?{settings}"));
        let Some(encrypted) = encrypted else {
            let finished = setup.run();
            assert_eq!(finished.code, Some(69), "{settings}: {}", finished.stderr);
            assert!(finished.stderr.contains("postgres at localhost:"), "{}", finished.stderr);
            continue;
        };
        let server = setup.start();
        let rows = format!(r#"[{{"ssl":{encrypted}}}]"#);
        let select = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        check_rows(&mut server.client(), select, "ssl", &rows);
    }
    // The authority may be one of the settings' too.
    let dsn = format!("postgres://app:apppw@localhost:{port}/tls?sslmode=verify-full");
    let server = setup(&dsn).set("backend_ca_file", ours).start();
    check_rows(&mut server.client(), "select 1 a", "a", r#"[{"a":1}]"#);
}

#[test]
fn who_is_refused_does_not_start() {
    let address = Postgres::shared().daemon().address();
    for (dsn, reason) in [
        (
            format!("postgres://app:s3cret@{address}/app?sslmode=disable"),
            "password authentication failed",
        ),
        (
            format!("postgres://stranger:s3cret@{address}/app?sslmode=disable"),
            "password authentication failed",
        ),
        (
            format!("postgres://app:apppw@{address}/nowhere?sslmode=disable"),
            "does not exist (3D000)",
        ),
        (format!("postgres://app:apppw@{address}/app?sslmode=disable&no_such=1"), "(42704)"),
    ] {
        let finished = setup(&dsn).run();
        assert_eq!(finished.code, Some(69), "{}", finished.stderr);
        assert!(finished.stderr.contains(reason), "{}", finished.stderr);
        for secret in ["s3cret", "apppw", "stranger"] {
            assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
        }
    }
}
