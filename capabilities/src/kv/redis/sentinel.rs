//! Which server is the master now: the sentinels are asked, and the server that they name is asked
//! again, since they may be late (Redis's guidelines for clients that support Sentinel).

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{Value, cmd};
use tokio::time::timeout;

use super::driver::RedisDriver;
use super::failure::Failure;
use super::session::{Session, text};
use crate::backend::link::ConnectError;
use crate::dns::HostPort;

/// One sentinel's answer. They are all asked at once, so this is how long one that is dead or frozen
/// can hold up the others' news.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Connects to the master that the quickest sentinel names, or to what the next ones name if that
/// server is gone or says that it is none.
///
/// # Errors
/// Refused if the master refuses us, or if every sentinel does.
pub(super) async fn connect(
    driver: &RedisDriver,
    sentinels: &[HostPort],
    master: &str,
) -> Result<Session, ConnectError> {
    let mut answers: FuturesUnordered<_> =
        sentinels.iter().map(|sentinel| ask(driver, sentinel, master)).collect();
    let (mut tried, mut failures) = (Vec::new(), Vec::new());
    while let Some(answer) = answers.next().await {
        let found = match answer {
            Ok(found) => found,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        if tried.contains(&found) {
            continue;
        }
        match master_at(driver, &found)
            .await
            .map_err(|error| error.at(&format!("master at {found}")))
        {
            Ok(session) => return Ok(session),
            Err(refused @ ConnectError::Refused(_)) => return Err(refused),
            Err(failure) => failures.push(failure),
        }
        tried.push(found);
    }
    Err(all(&failures))
}

async fn master_at(driver: &RedisDriver, found: &HostPort) -> Result<Session, ConnectError> {
    let session = driver.log_in_at(found).await?;
    check(&session).await?.map_err(ConnectError::Unreachable)?;
    Ok(session)
}

/// Whether the server says of itself that it is the master; if not, what it says.
pub(super) async fn check(session: &Session) -> Result<Result<(), String>, Failure> {
    Ok(match &*session.role().await? {
        "master" => Ok(()),
        role => Err(format!("the server is not the master, its role is {role}")),
    })
}

async fn ask(
    driver: &RedisDriver,
    sentinel: &HostPort,
    master: &str,
) -> Result<HostPort, ConnectError> {
    let answer = timeout(ANSWER_MAX, address(driver, sentinel, master)).await;
    let known = match answer {
        Ok(Ok(Some(found))) => return Ok(found),
        Ok(Ok(None)) => Err(ConnectError::Refused(format!("no master {master} known"))),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let ms = ANSWER_MAX.as_millis();
            Err(ConnectError::Unreachable(format!("no answer within {ms} ms")))
        }
    };
    known.map_err(|error| error.at(&format!("sentinel {sentinel}")))
}

/// None if the sentinel does not know the master.
async fn address(
    driver: &RedisDriver,
    sentinel: &HostPort,
    master: &str,
) -> Result<Option<HostPort>, ConnectError> {
    let session = driver.connect_to(sentinel).await?;
    let mut question = cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    match session.ask(&question, read_address).await {
        Err(failure) if failure.wants_login() => {
            driver.log_in(&session).await?;
            Ok(session.ask(&question, read_address).await?)
        }
        answer => Ok(answer?),
    }
}

pub(super) fn read_address(answer: Value) -> Option<Option<HostPort>> {
    let parts = match answer {
        Value::Nil => return Some(None),
        Value::Array(parts) => parts,
        _ => return None,
    };
    let [host, port] = <[Value; 2]>::try_from(parts).ok()?;
    let port = text(port)?.parse().ok()?;
    Some(Some(HostPort { host: text(host)?, port }))
}

/// That no sentinel could help. It lasts only if each of them says so.
pub(super) fn all(failures: &[ConnectError]) -> ConnectError {
    let reasons: Vec<_> = failures.iter().map(ConnectError::to_string).collect();
    let reasons = reasons.join("; ");
    match failures.iter().all(|failure| matches!(failure, ConnectError::Refused(_))) {
        true => ConnectError::Refused(reasons),
        false => ConnectError::Unreachable(reasons),
    }
}
