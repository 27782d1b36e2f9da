//! The shards' threads: where they run, and how evenly they serve.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use airside_tests::harness::{
    Client, Server, Setup, WAIT, alone, cpu_time, cpus, poll_until, resident_bytes, threads,
    watched_sockets,
};

use crate::it::load::Flood;

/// The CPUs of the threads called `airside-shard-INDEX`.
fn shard_cpus(server: &Server, index: usize) -> BTreeSet<String> {
    let name = format!("airside-shard-{index}");
    let threads = threads(server.pid()).into_iter();
    threads.filter(|thread| thread.name == name).map(|thread| thread.cpus).collect()
}

#[test]
fn each_shard_has_a_cpu_of_its_own() {
    let shards = cpus().len().min(2);
    let server = Setup::new().guest("hello").set("shards", shards).start();
    let mut seen = BTreeSet::new();
    for index in 0..shards {
        let own = shard_cpus(&server, index);
        assert_eq!(own.len(), 1, "shard {index} runs on {own:?}");
        let cpu = own.first().unwrap().clone();
        assert!(cpu.parse::<usize>().is_ok_and(|cpu| cpus().contains(&cpu)), "not one CPU: {cpu}");
        assert!(seen.insert(cpu), "two shards on one CPU");
    }
    assert!(shard_cpus(&server, shards).is_empty());
}

#[test]
fn the_setting_cpus_says_which() {
    let last = *cpus().last().unwrap();
    let server = Setup::new().guest("hello").unset("shards").set("cpus", last).start();
    assert_eq!(shard_cpus(&server, 0), BTreeSet::from([last.to_string()]));
    assert!(shard_cpus(&server, 1).is_empty());
}

#[test]
fn a_cpu_that_is_not_there_is_an_error() {
    let finished = Setup::new().guest("hello").unset("shards").set("cpus", 1000).run();
    assert_eq!(finished.code, Some(64), "{}", finished.stderr);
    assert!(finished.stderr.contains("CPU 1000"), "{}", finished.stderr);
}

#[test]
fn few_connections_are_shared_evenly() {
    let shards = cpus().len().min(2);
    let server = Setup::new().guest("hello").set("shards", shards).start();
    let idle = watched_sockets(server.pid());
    let mut clients = Vec::new();
    // By chance alone all three would be even once in fifty times.
    for opened in [8, 16, 24] {
        clients.resize_with(opened, || {
            let mut client = server.client();
            assert_eq!(client.get("/hello").status, 200);
            client
        });
        let now = watched_sockets(server.pid());
        let served: Vec<usize> =
            now.iter().zip(&idle).map(|(now, idle)| now - idle).filter(|&more| more > 0).collect();
        // A reactor may hold its epoll instance by more than one descriptor.
        assert!(served.len() >= shards, "{served:?}");
        // An eighth more, and the one that found it so: what `net::balance` lets be.
        let least = *served.iter().min().unwrap();
        let most = *served.iter().max().unwrap();
        assert!(most <= least + least / 8 + 1, "{served:?}");
    }
    // Each is still served where it is.
    for client in &mut clients {
        assert_eq!(client.get("/hello").status, 200);
    }
}

#[test]
fn one_connection_is_served_without_a_stall() {
    const REQUESTS: usize = 100_000;
    let _alone = alone();
    let server = Setup::new().guest("hello").set("shards", 1).start();
    let mut client = server.client();
    let mut longest = Duration::ZERO;
    for _ in 0..REQUESTS {
        let started = Instant::now();
        let response = client.get("/hello");
        longest = longest.max(started.elapsed());
        assert_eq!((response.status, response.body.as_slice()), (200, &b"Hello, World!"[..]));
    }
    assert!(longest < Duration::from_secs(1), "the longest request took {longest:?}");
}

#[test]
fn an_idle_shard_uses_almost_no_cpu() {
    const WINDOW: Duration = Duration::from_secs(3);
    let _alone = alone();
    let shards = u32::try_from(cpus().len().min(2)).unwrap();
    let server = Setup::new().guest("hello").set("shards", shards).start();
    // Connections that idle, and guests that have run, must cost nothing either.
    let mut clients: Vec<Client> = (0..16).map(|_| server.client()).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/hello").status, 200));
    let most = WINDOW * 3 / 1000 * shards;
    // What the start has left to do may fall into the first window.
    poll_until("a window with little CPU time", WAIT, || {
        let before = cpu_time(server.pid());
        thread::sleep(WINDOW);
        (cpu_time(server.pid()) - before < most).then_some(())
    });
}

#[test]
fn a_busy_stream_does_not_starve_a_new_one() {
    let _alone = alone();
    let server = Setup::new().guest("hello").set("shards", 1).start();
    let flood = Flood::start(server.address(), "/hello", 1);
    for _ in 0..50 {
        let started = Instant::now();
        assert_eq!(server.get("/hello").status, 200);
        let took = started.elapsed();
        assert!(took < Duration::from_millis(500), "a new connection waited {took:?}");
    }
    assert!(flood.stop() > 0, "the stream was not busy");
}

/// How late a header timeout of 50 ms fires: the median of many.
fn timer_lateness(server: &Server) -> Duration {
    const TIMEOUT: Duration = Duration::from_millis(50);
    let mut late: Vec<Duration> = (0..21)
        .map(|_| {
            let mut client = server.client();
            let started = Instant::now();
            client.send("GET");
            assert_eq!(client.receive().status, 408);
            started.elapsed().checked_sub(TIMEOUT).expect("not before its time")
        })
        .collect();
    late.sort();
    late[late.len() / 2]
}

#[test]
fn timers_fire_within_3_ms_idle_and_busy() {
    let _alone = alone();
    let server =
        Setup::new().guest("hello").set("shards", 1).set("http_header_timeout_ms", 50).start();
    let most = Duration::from_millis(3);
    let idle = timer_lateness(&server);
    assert!(idle <= most, "{idle:?} late when idle");
    let flood = Flood::start(server.address(), "/hello", 1);
    let busy = timer_lateness(&server);
    flood.stop();
    assert!(busy <= most, "{busy:?} late when busy");
}

#[test]
fn shards_share_the_connections() {
    if cpus().len() < 2 {
        return;
    }
    let server = Setup::new().guest("global").set("shards", 2).start();
    crate::it::load::clients_on_two_shards(&server);
}

#[test]
fn too_little_locked_memory_is_a_clear_error() {
    let finished = Setup::new().guest("hello").under(&["prlimit", "--memlock=65536"]).run();
    assert!(finished.code.is_some_and(|code| code != 0), "{finished:?}");
    for part in ["airside-", "locked-memory limit", "65536", "ulimit -l"] {
        assert!(finished.stderr.contains(part), "no {part:?} in: {}", finished.stderr);
    }
}

#[test]
fn a_long_guest_leaves_the_shard_to_others() {
    let _alone = alone();
    let spin = serde_json::json!({ "timeout_ms": 1000 });
    let server = Setup::new().guest("hello").guest_with("spin", spin).set("shards", 1).start();
    let mut spinning = server.client();
    spinning.request("GET", "/spin");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let ends = scope.spawn(|| {
            let response = spinning.receive();
            done.store(true, Ordering::Relaxed);
            response.status
        });
        let mut client = server.client();
        let mut answered = 0;
        while !done.load(Ordering::Relaxed) {
            let started = Instant::now();
            assert_eq!(client.get("/hello").status, 200);
            assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
            answered += 1;
        }
        assert!(answered > 100, "only {answered} answers in a second");
        assert_eq!(ends.join().unwrap(), 504);
    });
}

#[test]
fn memory_stays_flat() {
    const MOST: u64 = 8 << 20;
    let server = Setup::new().guest("echo").guest("trap").set("shards", 1).start();
    let serve = |times: usize| {
        let mut client = server.client();
        for number in 0..times {
            let body = vec![b'x'; number % 5000];
            assert_eq!(client.post("/echo", &body).body.len(), body.len());
            if number % 100 == 0 {
                assert_eq!(server.get("/trap").status, 500);
            }
        }
    };
    serve(10_000);
    let warm = resident_bytes(server.pid());
    serve(30_000);
    let later = resident_bytes(server.pid());
    assert!(later < warm + MOST, "{warm} bytes have become {later}");
}
