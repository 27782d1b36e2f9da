//! How a server's connections are spread over its threads or processes: those of one watch their sockets with one epoll
//! instance, and /proc says which sockets an instance watches.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};

/// The state ESTABLISHED in /proc/net/tcp.
const ESTABLISHED: &str = "01";

/// Established connections to an IPv4 `address` that each epoll instance of the tree below `root` watches, the most first.
/// Instances that watch none are left out.
pub fn watched_connections(root: u32, address: SocketAddr) -> Result<Vec<usize>> {
    let table = std::fs::read_to_string("/proc/net/tcp").context("read /proc/net/tcp")?;
    let connections = established(&table, address.port());
    // An instance may have several descriptors, but no connection is watched by several instances.
    let mut instances = BTreeSet::new();
    for stat in super::tree(root)? {
        let folder = format!("/proc/{}/fdinfo", stat.pid);
        for file in std::fs::read_dir(&folder).with_context(|| format!("read {folder}"))? {
            instances.insert(watched(&file?.path(), &connections));
        }
    }
    let mut counts: Vec<usize> = instances.iter().map(BTreeSet::len).collect();
    counts.retain(|&count| count > 0);
    counts.sort_unstable_by(|one, other| other.cmp(one));
    Ok(counts)
}

/// Of a descriptor that was closed meanwhile, or is no epoll instance, none.
fn watched(info: &Path, connections: &HashSet<u64>) -> BTreeSet<u64> {
    let text = std::fs::read_to_string(info).unwrap_or_default();
    watched_inodes(&text).filter(|inode| connections.contains(inode)).collect()
}

/// Lines such as `tfd: 5 events: 19 data: 2a  pos:0 ino:1f3b sdev:8` (proc_pid_fdinfo(5)), which only epoll instances have; the
/// inode is hexadecimal.
fn watched_inodes(info: &str) -> impl Iterator<Item = u64> {
    let lines = info.lines().filter(|line| line.starts_with("tfd:"));
    let inode = |line: &str| {
        line.split_ascii_whitespace().find_map(|w| w.strip_prefix("ino:").map(String::from))
    };
    lines.filter_map(inode).filter_map(|inode| u64::from_str_radix(&inode, 16).ok())
}

/// Inodes of the established connections whose local port this is, of the table of proc_pid_net(5): a head, then lines
/// with local address, remote address and state in fields 1 to 3, the inode in field 9. Addresses are hexadecimal.
fn established(table: &str, port: u16) -> HashSet<u64> {
    let local_end = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let wanted = fields.get(1)?.ends_with(&local_end) && *fields.get(3)? == ESTABLISHED;
        if wanted { fields.get(9)?.parse().ok() } else { None }
    };
    table.lines().skip(1).filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rustix::event::epoll;

    use super::{established, watched_connections, watched_inodes};

    #[test]
    fn established_connections_to_a_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 651 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:A001 01 00000000:00000000 00:00000000 00000000     0        0 652 1 0 100 0 0 10 0
   2: 0100007F:A001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 653 1 0 100 0 0 10 0
   3: 0100007F:1F90 0100007F:A002 08 00000000:00000000 00:00000000 00000000     0        0 654 1 0 100 0 0 10 0
";
        assert_eq!(established(table, 8080).into_iter().collect::<Vec<_>>(), [652]);
        assert!(established(table, 80).is_empty() && established("", 8080).is_empty());
    }

    #[test]
    fn watched_sockets_are_named_by_inode() {
        let info = "pos:\t0\nflags:\t02\ntfd:        5 events:       19 data:  2a  pos:0 ino:1f3b sdev:8\n";
        assert_eq!(watched_inodes(info).collect::<Vec<_>>(), [0x1f3b]);
        assert_eq!(watched_inodes("pos:\t0\nino:\t7\n").count(), 0);
    }

    #[test]
    fn own_connections_are_counted_where_they_are_watched() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<TcpStream> =
            (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        let accepted: Vec<TcpStream> =
            clients.iter().map(|_| listener.accept().unwrap().0).collect();
        let loops: Vec<_> =
            (0..3).map(|_| epoll::create(epoll::CreateFlags::CLOEXEC).unwrap()).collect();
        let watch = |instance: usize, stream: &TcpStream| {
            let data = epoll::EventData::new_u64(0);
            epoll::add(&loops[instance], stream, data, epoll::EventFlags::IN).unwrap();
        };
        watch(1, &accepted[0]);
        watch(2, &accepted[1]);
        watch(2, &accepted[2]);
        let _twice = loops[2].try_clone().unwrap();
        // The other ends, though connected too, are no connections to that address.
        watch(0, &clients[0]);
        assert_eq!(watched_connections(std::process::id(), address).unwrap(), [2, 1]);
    }
}
