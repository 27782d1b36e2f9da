//! What the Cassandra store is told.

use crate::dns::HostPort;
use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CassandraConfig {
    /// Not empty; further nodes are learnt from these.
    pub hosts: Vec<HostPort>,
    /// Made when absent.
    pub keyspace: String,
    /// Of reads and writes.
    pub consistency: CassandraConsistency,
    /// Of a keyspace that is made: a class such as `SimpleStrategy`.
    pub replication_strategy: String,
    pub replicas: u8,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub tls: bool,
    /// With TLS: the certificate must be valid and name the host.
    pub verify: bool,
}

impl CassandraConfig {
    /// Where the store is, for people: `host:port,host:port/keyspace`.
    pub fn target(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        format!("{}/{}", hosts.join(","), self.keyspace)
    }
}

/// How many replicas must agree, by Cassandra's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CassandraConsistency {
    Any,
    One,
    Two,
    Three,
    Quorum,
    All,
    LocalQuorum,
    EachQuorum,
    LocalOne,
}

impl CassandraConsistency {
    pub const ALL: [(&str, CassandraConsistency); 9] = [
        ("any", CassandraConsistency::Any),
        ("one", CassandraConsistency::One),
        ("two", CassandraConsistency::Two),
        ("three", CassandraConsistency::Three),
        ("quorum", CassandraConsistency::Quorum),
        ("all", CassandraConsistency::All),
        ("local_quorum", CassandraConsistency::LocalQuorum),
        ("each_quorum", CassandraConsistency::EachQuorum),
        ("local_one", CassandraConsistency::LocalOne),
    ];

    /// By name, in capital letters or not.
    pub fn named(name: &str) -> Option<CassandraConsistency> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }
}
