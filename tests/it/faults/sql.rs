//! PostgreSQL and MariaDB fail in every way that is known.

use std::net::SocketAddr;

use airside_tests::harness::Client;
use airside_tests::harness::services::{MariaDb, Postgres};

use super::kinds;
use super::outage::{Subject, survives};
use crate::it::wire::query;

fn select(client: &mut Client, _: SocketAddr) -> Result<(), String> {
    match query(client, "select 1 a") {
        Ok((_, rows)) if rows == r#"[{"a":1}]"# => Ok(()),
        Ok((_, rows)) => panic!("{rows}"),
        Err(refusal) => Err(refusal.text),
    }
}

#[test]
fn postgres_fails_in_every_way() {
    let back_end = &Postgres::start();
    let called = "postgres at ";
    survives(&Subject { back_end, called, has_health: true, work: select }, &kinds::USUAL);
}

#[test]
fn mysql_fails_in_every_way() {
    let back_end = &MariaDb::start();
    let called = "mysql at ";
    survives(&Subject { back_end, called, has_health: true, work: select }, &kinds::USUAL);
}
