//! Instances whose call failed with much memory: it is given back in turns, and the pool waits for that.

use super::*;

const MIB: u64 = 1024 * 1024;

/// Grows by 1 MiB and fills it until it gets no more. Asked `?`, it answers with what is at 2 MiB, where its module has
/// data; whatever it is asked, it writes something else there, and traps if there is anything in memory it has grown.
fn growing() -> String {
    let body = "
      (if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 63))
        (then (call $response (i32.const 2097152) (i32.const 5)) (return (i32.const 1))))
      (i32.store (i32.const 2097152) (i32.const 0x31313131))
      (loop $l
        (global.set $at (i32.shl (memory.grow (i32.const 16)) (i32.const 16)))
        (if (i32.load8_u (global.get $at)) (then unreachable))
        (memory.fill (global.get $at) (i32.const 7) (i32.const 1048576))
        (br $l))
      (i32.const 1)";
    let parts = "(global $at (mut i32) (i32.const 0)) (data (i32.const 2097152) \"image\")";
    guest(body).replace("2 100)", &format!("64 2048) {parts}"))
}

fn large(index: usize, wat: &str) -> Definition {
    let timeout = Duration::from_secs(30);
    Definition { memory_bytes_max: 16 * MIB, timeout, ..definition(index, wat) }
}

const LIMIT: InvokeError = InvokeError::MemoryLimit { bytes_max: 16 << 20 };

#[test]
fn a_dirty_memory_is_given_back_before_its_place_is() {
    run(async {
        let world = world_of(&[large(0, &growing()), large(1, &guest(ECHO))]).await.unwrap();
        let pool = &world.guests.functions[0];
        for _ in 0..3 {
            assert_eq!(world.call(0, b"?").await.as_deref(), Ok("image"));
            assert_eq!(world.call(0, b"!").await, Err(LIMIT));
            // Still there, and its place taken.
            assert_eq!((pool.in_use(), pool.live.get()), (1, 1));
            let began = std::time::Instant::now();
            while pool.in_use() > 0 {
                // Others want the core meanwhile, and have it.
                assert_eq!(world.call(1, b"hi").await.as_deref(), Ok("hi"));
                tokio::task::yield_now().await;
                assert!(began.elapsed() < Duration::from_secs(20));
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.live.get(), 1);
    });
}

#[test]
fn no_instance_is_made_without_a_slot() {
    run(async {
        let world = Rc::new(world_of(&[large(0, &growing())]).await.unwrap());
        let client = || {
            let world = Rc::clone(&world);
            tokio::task::spawn_local(async move {
                for _ in 0..4 {
                    match world.call(0, b"!").await.unwrap_err() {
                        // The two places are taken: it waits, as many as may.
                        InvokeError::QueueFull { .. } => tokio::task::yield_now().await,
                        InvokeError::NoInstance { waited } => assert!(!waited.is_zero()),
                        error => assert_eq!(error, LIMIT),
                    }
                }
            })
        };
        for client in [client(), client(), client(), client()] {
            client.await.unwrap();
        }
    });
}

#[test]
fn a_start_that_fails_with_much_memory_says_why() {
    let start = "(func (export \"_start\") (loop $l
        (memory.fill (i32.shl (memory.grow (i32.const 16)) (i32.const 16)) (i32.const 7) (i32.const 1048576))
        (br $l)))";
    let wat = guest(ECHO).replace("2 100)", "2 2048)").replace(
        "(func (export \"__guest_call\")",
        &format!("{start} (func (export \"__guest_call\")"),
    );
    run(async {
        let error = world_of(&[large(0, &wat)]).await.err().unwrap().to_string();
        assert!(error.contains("_start failed") && error.contains("memory_bytes_max"), "{error}");
    });
}
