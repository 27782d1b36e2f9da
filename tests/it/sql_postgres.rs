//! SQL on PostgreSQL. What rows and errors look like was taken down from Tarmac's drivers on the same server.

mod access;
mod answers;
mod sessions;
mod values;

use airside_tests::harness::services::{Backend, Postgres};
use airside_tests::harness::{Client, Server, Setup};

use crate::it::wire::{check_rows, query};

/// A database of a test's own on the shared server, and its DSN.
fn database(name: &str) -> String {
    let postgres = Postgres::shared();
    postgres.client("app", &format!("create database {name}"));
    postgres.dsn(postgres.daemon().address(), name)
}

fn setup(dsn: &str) -> Setup {
    let setup = Setup::new().guest("call").guest("hello").set("enable_sql", true);
    setup.set("sql_type", "postgres").set("sql_dsn", dsn)
}

fn server(dsn: &str) -> Server {
    setup(dsn).start()
}

#[track_caller]
fn check_error(client: &mut Client, text: &str, error: &str) {
    for _ in 0..2 {
        assert_eq!(query(client, text).unwrap_err().text, error, "{text}");
    }
}
