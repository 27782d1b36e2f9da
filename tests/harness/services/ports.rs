//! Ports for servers that cannot be given port 0 and asked.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below it are ports that other programs are known by.
const LOWEST: u16 = 10_240;

/// A port on loopback that nobody listens on.
///
/// It is below those that the kernel gives to clients: a server that is started again must find its port free, and a client
/// that calls a stopped server must not be given that same port as its own, for then it is connected with itself.
pub(super) fn free_port() -> u16 {
    let end = clients_from();
    assert!(end > LOWEST, "the kernel gives clients all ports from {end} on");
    let count = end - LOWEST;
    // Test processes run side by side; each begins elsewhere.
    let from = std::process::id().wrapping_mul(7919) as u16;
    // No port is tried twice in one process: its last owner may be about to come back.
    static TRIED: AtomicU16 = AtomicU16::new(0);
    loop {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        assert!(tried < count, "no port is free from {LOWEST} to {end}");
        let port = LOWEST + from.wrapping_add(tried) % count;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The first port that a client may be given.
fn clients_from() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    // The kernel's default.
    range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(32_768)
}
