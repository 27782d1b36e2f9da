//! Fresh calls and how they come by their instance: one that served a call is made what it was where that can be done, and
//! replaced where it cannot. In neither case does a call find anything of those before it.

use super::isolation::with;
use super::*;

/// How the instance of each call but the first is come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Reset,
    New,
}

const CALLS: u64 = 5;

/// A guest that answers `!` when this expression finds something of another call, and else `.`, and then leaves something.
fn leaving(parts: &str, found: &str, leave: &str) -> String {
    let body = format!(
        "(i32.store8 (i32.const 0) (select (i32.const 33) (i32.const 46) {found}))
         {leave} (call $response (i32.const 0) (i32.const 1)) (i32.const 1)"
    );
    // After the memory, so that it is where the other parts may have the start of a table or an import.
    guest(&body).replace("2 100)", &format!("2 100) {parts}"))
}

fn large(isolation: Isolation, wat: &str) -> Definition {
    // Much memory takes its time to be given back.
    let wait = Duration::from_secs(10);
    Definition { memory_bytes_max: 32 << 20, wait, ..with(isolation, 0, wat) }
}

/// Calls the function again and again, at once or with time for its pool in between, and finds nothing.
async fn call_all(world: &World, pauses: u32) {
    for call in 1..=CALLS {
        let answer = world.call(0, b"secret").await;
        assert_eq!(answer.as_deref(), Ok("."), "call {call}, {pauses} pauses");
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
    }
}

#[track_caller]
fn check_way(world: &World, way: Way) {
    let made = world.guests.functions[0].made.get();
    match way {
        Way::Reset => assert_eq!(made, 1, "it was not reset"),
        Way::New => assert!(made >= CALLS, "it was reset: {made} were made"),
    }
}

#[track_caller]
fn check_wat(wat: &str, way: Way) {
    for pauses in [0, 3] {
        run(async {
            let world = world_of(&[large(Isolation::Fresh, wat)]).await.unwrap();
            call_all(&world, pauses).await;
            check_way(&world, way);
        });
    }
}

/// What the guest leaves is found by the next call when instances are reused, and by none when they are fresh.
#[track_caller]
fn check(parts: &str, found: &str, leave: &str, way: Way) {
    let wat = leaving(parts, found, leave);
    run(async {
        let world = world_of(&[large(Isolation::Reuse, &wat)]).await.unwrap();
        assert_eq!(world.call(0, b"secret").await.as_deref(), Ok("."));
        assert_ne!(world.call(0, b"secret").await.as_deref(), Ok("."), "nothing is left");
    });
    check_wat(&wat, way);
}

/// Whether any byte is set from here on, for so many.
const ANY: &str = "(func $any (param $at i32) (param $len i32) (result i32)
    (loop $next
      (if (i32.load8_u (local.get $at)) (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (local.tee $len (i32.sub (local.get $len) (i32.const 1)))))
    (i32.const 0))";

#[test]
fn nothing_is_left_in_memory() {
    let byte = |at: u32| {
        let found = format!("(i32.load8_u (i32.const {at}))");
        check("", &found, &format!("(i32.store8 (i32.const {at}) (i32.const 7))"), Way::Reset);
    };
    for at in [16, 4095, 4096, 65535, 65536, 126976, 131071] {
        byte(at);
    }
    // Over the boundary of two pages.
    check(
        "",
        "(i64.ne (i64.load (i32.const 8188)) (i64.const 0))",
        "(i64.store (i32.const 8188) (i64.const -1))",
        Way::Reset,
    );
    // All of it, and what the host wrote there.
    check(
        ANY,
        "(i32.or (call $any (i32.const 1) (i32.const 1000)) (call $any (i32.const 4096) (i32.const 126976)))",
        "(memory.fill (i32.const 1) (i32.const 7) (i32.const 131071))",
        Way::Reset,
    );
    check(
        "(data $passive \"secret\")",
        "(i32.or (i32.load8_u (i32.const 90000)) (i32.load8_u (i32.const 100000)))",
        "(memory.init $passive (i32.const 90000) (i32.const 0) (i32.const 6))
         (memory.copy (i32.const 100000) (i32.const 90000) (i32.const 6))",
        Way::Reset,
    );
    check(
        "",
        "(i32.ne (i32.load8_u (i32.const 70000)) (i32.const 0))",
        "(call $request (i32.const 1024) (i32.const 70000))",
        Way::Reset,
    );
}

#[test]
fn data_of_the_module_is_there_again() {
    for (at, length) in [(9000, 5), (8190, 5), (131068, 4)] {
        let text = &"image"[..length];
        let parts = format!("(data (i32.const {at}) \"{text}\")");
        let found = format!("(i32.ne (i32.load (i32.const {at})) (i32.const 0x67616d69))");
        for secret in [0, 7] {
            let leave =
                format!("(memory.fill (i32.const {at}) (i32.const {secret}) (i32.const {length}))");
            check(&parts, &found, &leave, Way::Reset);
        }
    }
}

#[test]
fn nothing_is_left_in_globals() {
    let check = |kind: &str, initial: &str, secret: &str, same: &str| {
        for export in ["", "(export \"shown\")"] {
            let parts =
                format!("(global i32 (i32.const 1)) (global $g {export} (mut {kind}) {initial})");
            let found = format!("(i32.eqz {same})");
            check(&parts, &found, &format!("(global.set $g {secret})"), Way::Reset);
        }
    };
    let same = |kind: &str, initial: &str| format!("({kind}.eq (global.get $g) {initial})");
    check("i32", "(i32.const -5)", "(i32.const 7)", &same("i32", "(i32.const -5)"));
    check("i64", "(i64.const -5)", "(i64.const 7)", &same("i64", "(i64.const -5)"));
    check("f32", "(f32.const -0.5)", "(f32.const 7)", &same("f32", "(f32.const -0.5)"));
    check("f64", "(f64.const 1e300)", "(f64.const 7)", &same("f64", "(f64.const 1e300)"));
    let bits = "(i32.eq (i32.reinterpret_f32 (global.get $g)) (i32.const 0x7fa00001))";
    check("f32", "(f32.const nan:0x200001)", "(f32.const nan)", bits);
    let bits = "(i64.eq (i64.reinterpret_f64 (global.get $g)) (i64.const 0x8000000000000000))";
    check("f64", "(f64.const -0)", "(f64.const 0)", bits);
    let all = "(i8x16.all_true (i64x2.eq (global.get $g) (v128.const i64x2 1 2)))";
    check("v128", "(v128.const i64x2 1 2)", "(v128.const i64x2 1 3)", all);
    check("v128", "(v128.const i64x2 1 2)", "(v128.const i64x2 0 2)", all);
}

/// The start code of a module that asks nobody for anything has run as it does for a new instance.
#[test]
fn what_the_start_left_is_there_again() {
    let parts = |start: &str| {
        format!(
            "(global $g (mut i32) (i32.const 0)) {start}
             (func $prepare (global.set $g (i32.const 5)) (i32.store8 (i32.const 50000) (i32.const 6))
               (if (i32.ne (memory.grow (i32.const 1)) (i32.const 2)) (then unreachable))
               (i32.store8 (i32.const 131072) (i32.const 7)))"
        )
    };
    for start in ["(start $prepare)", "(export \"wapc_init\" (func $prepare))"] {
        check(
            &parts(start),
            "(i32.eqz (i32.and (i32.eq (global.get $g) (i32.const 5)) (i32.and
               (i32.eq (i32.load8_u (i32.const 50000)) (i32.const 6))
               (i32.eq (i32.load8_u (i32.const 131072)) (i32.const 7)))))",
            "(global.set $g (i32.const 0)) (i32.store8 (i32.const 50000) (i32.const 0))
             (i32.store8 (i32.const 131072) (i32.const 0))",
            Way::Reset,
        );
        let size = "(i32.ne (memory.size) (i32.const 3))";
        check(&parts(start), size, "(drop (memory.grow (i32.const 1)))", Way::New);
    }
}

#[test]
fn what_cannot_be_undone_costs_the_instance() {
    let size = "(i32.ne (memory.size) (i32.const 2))";
    check("", size, "(drop (memory.grow (i32.const 1)))", Way::New);
    // Large enough to be given back in turns.
    check("", size, "(drop (memory.grow (i32.const 90)))", Way::New);
    let is_set = "(i32.eqz (ref.is_null (table.get $t (i32.const 0))))";
    let table = "(table $t 1 funcref) (func $f) (elem declare func $f)";
    check(table, is_set, "(table.set $t (i32.const 0) (ref.func $f))", Way::New);
    let fill = "(table.fill $t (i32.const 0) (ref.func $f) (i32.const 1))";
    check(table, is_set, fill, Way::New);
    let grow = "(drop (table.grow $t (ref.null func) (i32.const 1)))";
    check(table, "(i32.ne (table.size $t) (i32.const 1))", grow, Way::New);
    let two = "(table $t 2 funcref) (func $f) (elem (table $t) (i32.const 1) func $f)
        (elem $e func $f)";
    let copy = "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))";
    check(two, is_set, copy, Way::New);
    let init = "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))";
    check(two, is_set, init, Way::New);
    let reference = "(global $g (mut funcref) (ref.null func)) (func $f) (elem declare func $f)";
    let is_set = "(i32.eqz (ref.is_null (global.get $g)))";
    check(reference, is_set, "(global.set $g (ref.func $f))", Way::New);
    // They trap when it is dropped.
    let use_data = "(memory.init $d (i32.const 8) (i32.const 0) (i32.const 1))";
    let leave = format!("{use_data} (data.drop $d)");
    check("(data $d \"x\")", "(i32.const 0)", &leave, Way::New);
    let elements = "(table $t 1 funcref) (func $f) (elem $e func $f)";
    check(elements, "(i32.const 0)", &format!("{init} (elem.drop $e)"), Way::New);
}

#[test]
fn too_many_written_pages_cost_the_instance() {
    let check = |pages: u32, written: u32, way: Way| {
        let leave = format!("(memory.fill (i32.const 131072) (i32.const 7) (i32.const {written}))");
        let wat = leaving("", "(i32.load8_u (i32.const 131072))", &leave);
        check_wat(&wat.replace("2 100)", &format!("{pages} 256)")), way);
    };
    check(64, 64 * 1024, Way::Reset);
    check(32, 1024 * 1024 + 1, Way::New);
    // So large that it is given back in turns.
    check(160, 8 << 20, Way::New);
}

#[test]
fn a_start_that_asks_the_host_runs_for_each_call() {
    let check = |import: &str, start: &str, way: Way| {
        let parts = format!("(func (export \"wapc_init\") {start})");
        let wat = leaving(
            &parts,
            "(i32.load8_u (i32.const 16))",
            "(i32.store8 (i32.const 16) (i32.const 7))",
        );
        let import = format!("(import \"wasi_snapshot_preview1\" {import})");
        check_wat(&wat.replacen("(import", &format!("{import} (import"), 1), way);
    };
    let random = "\"random_get\" (func $f (param i32 i32) (result i32))";
    check(random, "(drop (call $f (i32.const 3000) (i32.const 8)))", Way::New);
    check(random, "", Way::Reset);
    let clock = "\"clock_time_get\" (func $f (param i32 i64 i32) (result i32))";
    check(clock, "(drop (call $f (i32.const 0) (i64.const 0) (i32.const 3000)))", Way::New);
    // Those that touch no memory, and waPC's.
    check("\"sched_yield\" (func $f (result i32))", "(drop (call $f))", Way::New);
    check(
        "\"fd_close\" (func $f (param i32) (result i32))",
        "(drop (call $f (i32.const 9)))",
        Way::New,
    );
    check(random, "(drop (call $host_response_len))", Way::New);
    check(random, "(call $console (i32.const 16) (i32.const 4))", Way::New);
    let arguments = "(i32.const 0) ".repeat(8);
    check(random, &format!("(drop (call $host {arguments}))"), Way::New);
    // By way of a table.
    check(
        random,
        "(drop (call_indirect $t (param i32 i32) (result i32) (i32.const 3000) (i32.const 8) (i32.const 0))))
         (table $t 1 funcref) (elem (table $t) (i32.const 0) func $f) (func",
        Way::New,
    );
}

/// The random number that a start drew is another one for each call.
#[test]
fn what_a_start_was_told_is_told_anew() {
    let wat = guest("(call $response (i32.const 3000) (i32.const 8)) (i32.const 1)").replacen(
        "(import",
        "(import \"wasi_snapshot_preview1\" \"random_get\" (func $f (param i32 i32) (result i32))) (import",
        1,
    );
    let start = "(func (export \"_initialize\") (local $i i32)
        (drop (call $f (i32.const 3000) (i32.const 8)))
        (loop $next
          (i32.store8 (i32.add (i32.const 3000) (local.get $i))
            (i32.or (i32.const 64) (i32.and (i32.const 31)
              (i32.load8_u (i32.add (i32.const 3000) (local.get $i))))))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8)))))";
    let wat = wat.replace("2 100)", &format!("2 100) {start}"));
    run(async {
        let world = world_of(&[large(Isolation::Fresh, &wat)]).await.unwrap();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..CALLS {
            assert!(seen.insert(world.call(0, b"").await.unwrap()), "drawn once for two calls");
        }
    });
}

/// A call may end with an error of the guest's: it has come to its end all the same.
#[test]
fn an_error_is_an_end_and_a_trap_is_not() {
    let body = "(i32.store8 (i32.const 0) (select (i32.const 33) (i32.const 46) (i32.load8_u (i32.const 16))))
      (i32.store8 (i32.const 16) (i32.const 7))
      (if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 33)) (then unreachable))
      (if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 63)) (then (loop $l (br $l))))
      (call $error (i32.const 0) (i32.const 1)) (i32.const 0)";
    let nothing_left = || Err(InvokeError::Guest(String::from(".")));
    run(async {
        let world = world_of(&[large(Isolation::Fresh, &guest(body))]).await.unwrap();
        let made = || world.guests.functions[0].made.get();
        for _ in 0..CALLS {
            assert_eq!(world.call(0, b"secret").await, nothing_left());
        }
        assert_eq!(made(), 1);
        for (payload, error) in
            [(b"!", InvokeError::Trap), (b"?", InvokeError::Timeout { timeout_ms: 200 })]
        {
            let before = made();
            assert_eq!(world.call(0, payload).await, Err(error));
            assert_eq!(world.call(0, b"secret").await, nothing_left());
            assert_eq!(world.call(0, b"secret").await, nothing_left());
            assert_eq!(made(), before + 1, "one more, and that is reset");
        }
    });
}

/// What the host keeps for an instance: the last host call's answer and error, and lines without an end.
#[test]
fn nothing_is_left_with_the_host() {
    let lengths = "(i32.or (call $host_response_len) (call $host_error_len))";
    let fetched = format!("{ANY} (data (i32.const 32) \"tarmacfunctionf1f9\")");
    let ask = |callee: u32| {
        format!(
            "(drop (call $host (i32.const 32) (i32.const 6) (i32.const 38) (i32.const 8)
               (i32.const {callee}) (i32.const 2) (i32.const 2048) (local.get $len)))"
        )
    };
    // What is fetched before any host call is nothing.
    let found = format!(
        "(block (result i32) (call $host_response (i32.const 60000)) (call $host_error (i32.const 61000))
           (i32.or {lengths} (call $any (i32.const 60000) (i32.const 2000))))"
    );
    for (callee, call) in [("answers", ask(46)), ("is unknown", ask(48))] {
        let wat = leaving(&fetched, &found, &call);
        for pauses in [0, 3] {
            run(async {
                let definitions = [large(Isolation::Fresh, &wat), definition(1, &guest(ECHO))];
                let world = world_of(&definitions).await.unwrap();
                call_all(&world, pauses).await;
                let pool = &world.guests.functions[0];
                assert_eq!(pool.made.get(), 1, "{callee}");
                // Not only is it out of the guest's sight when the next call begins: it is gone.
                let checkout = pool.checkout(&world.guests, &mut 0).await;
                let mut checkout = checkout.unwrap_or_else(|error| panic!("{error}"));
                let state = checkout.instance().store.data();
                assert!(state.host_response.is_empty() && state.host_error.is_empty(), "{callee}");
            });
        }
    }

    let import = "(import \"wasi_snapshot_preview1\" \"fd_write\"
        (func $write (param i32 i32 i32 i32) (result i32)))";
    let body =
        "(i32.store (i32.const 16) (i32.const 2048)) (i32.store (i32.const 20) (local.get $len))
          (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))
          (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 32))) (i32.const 1)";
    let wat = guest(body).replacen("(import", &format!("{import} (import"), 1);
    run(async {
        let world = world_of(&[large(Isolation::Fresh, &wat)]).await.unwrap();
        for payload in ["half", "rest\n"] {
            world.call(0, payload.as_bytes()).await.unwrap();
        }
        let lines: Vec<String> = std::iter::from_fn(|| world.lines.0.pop()).collect();
        let expected = ["info f0: half", "error f0: half", "info f0: rest", "error f0: rest"];
        assert_eq!(lines, expected);
        assert_eq!(world.guests.functions[0].made.get(), 1);
    });
}

/// Functions of one module have one template, whether their instances are reset or reused.
#[test]
fn functions_of_one_module_do_not_mind_each_other() {
    run(async {
        let wat = counting();
        let definitions = [
            with(Isolation::Reuse, 0, &wat),
            with(Isolation::Fresh, 1, &wat),
            with(Isolation::Fresh, 2, &wat),
        ];
        let world = world_of(&definitions).await.unwrap();
        for expected in ["1", "2", "3"] {
            assert_eq!(world.call(0, b"").await.as_deref(), Ok(expected));
            assert_eq!(world.call(1, b"").await.as_deref(), Ok("1"));
            assert_eq!(world.call(2, b"").await.as_deref(), Ok("1"));
        }
        for pool in &world.guests.functions {
            assert_eq!(pool.made.get(), 1, "{}", pool.name);
        }
    });
}

/// Calls that wait for the host at the same time have an instance each, which are reset all.
#[test]
fn as_many_are_reset_as_were_in_use() {
    let import = "(import \"wasi_snapshot_preview1\" \"poll_oneoff\"
        (func $poll (param i32 i32 i32 i32) (result i32)))";
    // Sleeps for a millisecond by the monotonic clock.
    let leave = "(i32.store (i32.const 3016) (i32.const 1)) (i64.store (i32.const 3024) (i64.const 1000000))
        (drop (call $poll (i32.const 3000) (i32.const 3100) (i32.const 1) (i32.const 3200)))
        (i32.store8 (i32.const 16) (i32.const 7))";
    let wat = leaving("", "(i32.load8_u (i32.const 16))", leave).replacen(
        "(import",
        &format!("{import} (import"),
        1,
    );
    run(async {
        let world = Rc::new(world_of(&[large(Isolation::Fresh, &wat)]).await.unwrap());
        for _ in 0..CALLS {
            let call = || {
                let world = Rc::clone(&world);
                tokio::task::spawn_local(async move { world.call(0, b"secret").await })
            };
            for answer in [call(), call()] {
                assert_eq!(answer.await.unwrap().as_deref(), Ok("."));
            }
        }
        let pool = &world.guests.functions[0];
        assert_eq!((pool.made.get(), pool.live.get(), pool.in_use()), (2, 2, 0));
    });
}

/// What the toolchains of the examples make of the same guest.
#[test]
fn guests_of_real_toolchains() {
    let check = |language: &str, way: Way| {
        let path = format!("{}/../examples/{language}/echo.wasm", env!("CARGO_MANIFEST_DIR"));
        let wasm = std::fs::read(path).unwrap();
        run(async {
            let source = ModuleSource::Embedded(wasm.leak());
            let timeout = Duration::from_secs(10);
            let definition = Definition { source, timeout, ..large(Isolation::Fresh, "(module)") };
            let world = world_of(&[definition]).await.unwrap();
            for payload in ["one", "two", "three", "four", "five"] {
                let answer = world.call(0, payload.as_bytes()).await.unwrap();
                assert!(answer.contains(payload), "{language}: {answer}");
                tokio::task::yield_now().await;
            }
            let made = world.guests.functions[0].made.get();
            assert_eq!(made == 1, matches!(way, Way::Reset), "{language}: {made} were made");
        });
    };
    check("assemblyscript", Way::Reset);
    check("c", Way::Reset);
    check("demo", Way::Reset);
    // Its allocator makes the memory grow in each first call.
    check("zig", Way::New);
    // Its start draws random numbers.
    check("rust-wasi", Way::New);
}
