//! What a call finds of the calls before it: everything with `reuse`, nothing with `fresh`, however those ended.

use super::*;

pub(super) fn with(isolation: Isolation, index: usize, wat: &str) -> Definition {
    Definition { isolation, ..definition(index, wat) }
}

async fn fresh(wat: &str) -> World {
    world_of(&[with(Isolation::Fresh, 0, wat)]).await.unwrap()
}

/// Calls one guest with these payloads in turn, at once and with time for its pool in between.
#[track_caller]
fn check_answers(isolation: Isolation, wat: &str, payloads: &[&str], expected: &[&str]) {
    for pauses in [0, 2] {
        run(async {
            let world = world_of(&[with(isolation, 0, wat)]).await.unwrap();
            let mut answers = Vec::new();
            for payload in payloads {
                answers.push(world.call(0, payload.as_bytes()).await.unwrap());
                for _ in 0..pauses {
                    tokio::task::yield_now().await;
                }
            }
            assert_eq!(answers, expected, "{isolation:?}, {pauses} pauses");
        });
    }
}

/// Keeps its payload's first byte in its memory, in memory that it grew, and in a global, and a function in a table.
/// Answers with what it found in each, and with the size of its memory: `.` where all is as in a new instance.
fn keeping() -> String {
    let found = |at: u8, value: &str| {
        format!("(i32.store8 (i32.const {at}) (select {value} (i32.const 46) {value}))")
    };
    let body = [
        found(0, "(i32.load8_u (i32.const 65536))"),
        found(1, "(global.get $kept)"),
        found(
            2,
            "(if (result i32) (ref.is_null (table.get $t (i32.const 0)))
                    (then (i32.const 0)) (else (i32.const 84)))",
        ),
        // As many pages more than at the start, as a digit.
        found(
            3,
            "(select (i32.add (memory.size) (i32.const 46)) (i32.const 0)
                    (i32.gt_u (memory.size) (i32.const 2)))",
        ),
        String::from(
            "(i32.store8 (i32.const 65536) (i32.load8_u (i32.const 2048)))
             (global.set $kept (i32.load8_u (i32.const 2048)))
             (table.set $t (i32.const 0) (ref.func $mark))
             (global.set $grown (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))",
        ),
        found(4, "(i32.load8_u (global.get $grown))"),
        String::from(
            "(memory.fill (global.get $grown) (i32.load8_u (i32.const 2048)) (i32.const 65536))
             (call $response (i32.const 0) (i32.const 5)) (i32.const 1)",
        ),
    ];
    let parts = "(global $kept (mut i32) (i32.const 0)) (global $grown (mut i32) (i32.const 0))
        (table $t 1 funcref) (func $mark) (elem declare func $mark)";
    guest(&body.concat()).replace("(memory (export", &format!("{parts} (memory (export"))
}

#[test]
fn a_fresh_call_finds_nothing_of_those_before() {
    let payloads = ["a", "b"];
    check_answers(Isolation::Reuse, &keeping(), &payloads, &[".....", "aaT1."]);
    check_answers(Isolation::Fresh, &keeping(), &payloads, &[".....", "....."]);
    check_answers(Isolation::Reuse, &counting(), &payloads, &["1", "2"]);
    check_answers(Isolation::Fresh, &counting(), &payloads, &["1", "1"]);
}

/// Whatever the guest says, it is over for the instance that said it.
#[test]
fn guest_errors_cost_a_fresh_instance_too() {
    let body = "(global.set $n (i32.add (global.get $n) (i32.const 1)))
      (i32.store8 (i32.const 0) (i32.add (global.get $n) (i32.const 48)))
      (call $error (i32.const 0) (i32.const 1)) (i32.const 0)";
    let wat = guest(body).replace("(memory", "(global $n (mut i32) (i32.const 0)) (memory");
    run(async {
        let world = fresh(&wat).await;
        for _ in 0..3 {
            assert_eq!(world.call(0, b"").await, Err(InvokeError::Guest(String::from("1"))));
        }
    });
}

/// As often as instances were made, the guest's start code logged a line.
fn made(world: &World) -> usize {
    std::iter::from_fn(|| world.lines.0.pop()).filter(|line| line.contains("made")).count()
}

#[test]
fn the_next_instance_is_made_ahead_and_by_its_start_code() {
    let start = "(func (export \"wapc_init\") (call $console (i32.const 16) (i32.const 4)))";
    let wat = counting()
        .replace("(memory", "(data (i32.const 16) \"made\") (memory")
        .replace("(func (export", &format!("{start} (func (export"));
    run(async {
        let world = fresh(&wat).await;
        assert_eq!(made(&world), 1);
        let pool = &world.guests.functions[0];
        for _ in 0..3 {
            assert_eq!(world.call(0, b"").await.as_deref(), Ok("1"));
            // The one that was ready served the call, and is still there.
            assert_eq!((made(&world), pool.live.get(), pool.in_use()), (0, 1, 0));
            tokio::task::yield_now().await;
            assert_eq!((made(&world), pool.live.get(), pool.in_use()), (1, 1, 0));
        }
        // Without a pause each call but the first has to make its own, in the place of the last one.
        for _ in 0..10 {
            assert_eq!(world.call(0, b"").await.as_deref(), Ok("1"));
        }
        assert_eq!((made(&world), pool.live.get()), (9, 1));
    });
}

#[test]
fn a_fresh_function_that_fails_is_there_for_the_next_call() {
    let body = "(if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 33)) (then unreachable))
      (if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 63)) (then (loop $l (br $l))))
      (call $response (i32.const 2048) (local.get $len)) (i32.const 1)";
    run(async {
        let world = fresh(&guest(body)).await;
        let pool = &world.guests.functions[0];
        for (payload, expected) in [
            ("!", Err(InvokeError::Trap)),
            ("a", Ok("a")),
            ("?", Err(InvokeError::Timeout { timeout_ms: 200 })),
            ("!", Err(InvokeError::Trap)),
            ("b", Ok("b")),
        ] {
            let answer = world.call(0, payload.as_bytes()).await;
            assert_eq!(answer.as_deref().map_err(Clone::clone), expected, "{payload}");
        }
        tokio::task::yield_now().await;
        assert_eq!((pool.live.get(), pool.in_use()), (1, 0));
    });
}

#[test]
fn functions_call_fresh_functions() {
    run(async {
        let definitions = [definition(0, &relay("f1")), with(Isolation::Fresh, 1, &counting())];
        let world = world_of(&definitions).await.unwrap();
        for _ in 0..5 {
            assert_eq!(world.call(0, b"hi").await.as_deref(), Ok("1"));
        }
        let definitions = [with(Isolation::Fresh, 0, &relay("f1")), definition(1, &counting())];
        let world = world_of(&definitions).await.unwrap();
        for expected in ["1", "2", "3"] {
            assert_eq!(world.call(0, b"hi").await.as_deref(), Ok(expected));
        }
    });
}

#[test]
fn fresh_instances_are_no_more_than_the_pool_has_places() {
    run(async {
        let body =
            "(if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 63)) (then (loop $l (br $l))))
          (i32.const 1)";
        let world = Rc::new(fresh(&guest(body)).await);
        let pool = &world.guests.functions[0];
        let call = |payload: &'static [u8]| {
            let world = Rc::clone(&world);
            tokio::task::spawn_local(async move { world.call(0, payload).await })
        };
        let [a, b, waited, refused] = [call(b"?"), call(b"?"), call(b"?"), call(b"?")];
        assert_eq!(refused.await.unwrap(), Err(InvokeError::QueueFull { queue_max: 1 }));
        assert_eq!((pool.live.get(), pool.in_use()), (2, 2));
        let wait = Duration::from_millis(50);
        assert_eq!(waited.await.unwrap(), Err(InvokeError::NoInstance { waited: wait }));
        for spun in [a, b] {
            assert_eq!(spun.await.unwrap(), Err(InvokeError::Timeout { timeout_ms: 200 }));
        }
        for _ in 0..20 {
            let calls = [call(b"a"), call(b"a"), call(b"a")];
            for call in calls {
                assert_eq!(call.await.unwrap(), Ok(String::new()));
            }
            assert!(pool.live.get() <= 2 && pool.in_use() == 0, "{}", pool.live.get());
        }
    });
}

#[test]
fn a_fresh_instance_with_much_memory_gives_it_back_in_turns() {
    let body = "(if (memory.size) (then (if (i32.ne (memory.grow (i32.const 96)) (i32.const 2)) (then unreachable))))
      (memory.fill (i32.const 131072) (i32.const 7) (i32.const 6291456)) (i32.const 1)";
    let wat = guest(body).replace("2 100)", "2 2048)");
    run(async {
        let large = Definition { memory_bytes_max: 16 << 20, ..with(Isolation::Fresh, 0, &wat) };
        let world = world_of(&[large]).await.unwrap();
        let pool = &world.guests.functions[0];
        for _ in 0..3 {
            assert_eq!(world.call(0, b"").await.as_deref(), Ok(""));
            // It keeps its place until then.
            assert_eq!(pool.in_use(), 1);
            while pool.in_use() > 0 {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
            assert_eq!(pool.live.get(), 1);
        }
    });
}
