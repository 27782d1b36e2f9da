//! Which modules are exposed, and that nothing of them changes but their list of exports.

use proptest::prelude::*;
use wasmparser::ExternalKind;

use super::*;

/// A module with a memory, an export and these parts.
fn module(parts: &str) -> Vec<u8> {
    let text = format!("(module (memory 1) (func (export \"f\")) {parts})");
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

type Export = (String, ExternalKind, u32);

/// The exports, and all other sections as they are.
fn sections(wasm: &[u8]) -> (Vec<Export>, Vec<(u8, Vec<u8>)>) {
    let (mut exports, mut others) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.unwrap();
        let section = payload.as_section();
        if let Payload::ExportSection(section) = payload {
            let entries = section.into_iter().map(|export| export.unwrap());
            exports.extend(entries.map(|e| (e.name.to_owned(), e.kind, e.index)));
        } else if let Some((id, range)) = section {
            others.push((id, wasm[range].to_vec()));
        }
    }
    (exports, others)
}

/// The module is exposed with hidden exports of these globals, and is otherwise what it was.
#[track_caller]
fn check_exposed(wasm: &[u8], expected: &[u32]) {
    let exposed = expose(wasm).expect("it is exposed");
    let ((exports, others), (before, before_others)) = (sections(&exposed), sections(wasm));
    let hidden = exports.strip_prefix(&before[..]).expect("the old exports come first");
    let named = |i: &u32| (format!("{HIDDEN}{i}"), ExternalKind::Global, *i);
    assert_eq!(hidden, expected.iter().map(named).collect::<Vec<_>>());
    assert!(others == before_others, "another section has changed");
    if !expected.is_empty() {
        assert_eq!(expose(&exposed), None, "it has the hidden names already");
    }
}

#[test]
fn all_that_can_change_is_exported() {
    let check = |parts: &str, expected: &[u32]| check_exposed(&module(parts), expected);
    check("", &[]);
    check("(global i32 (i32.const 1))", &[]);
    check("(global (mut i32) (i32.const 1))", &[0]);
    check("(global (export \"g\") (mut i32) (i32.const 1))", &[0]);
    let kinds = "(global (mut i64) (i64.const 1)) (global funcref (ref.null func))
        (global (mut f32) (f32.const 1)) (global i32 (i32.const 1)) (global (mut f64) (f64.const 1))
        (global (mut v128) (v128.const i64x2 1 2))";
    check(kinds, &[0, 2, 4, 5]);
    check(&"(global (mut i32) (i32.const 1))".repeat(256), &(0..256).collect::<Vec<_>>());
    check("(func (global.set $g (i32.const 1))) (global $g (mut i32) (i32.const 0))", &[0]);
    // Memory is seen whatever changes it.
    check(
        "(data $d \"x\") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
           (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) (drop (memory.grow (i32.const 1)))
           (memory.copy (i32.const 0) (i32.const 1) (i32.const 1)))",
        &[],
    );
    // Tables that nothing changes.
    check(
        "(table $t 2 funcref) (elem (table $t) (i32.const 0) func $g) (elem $e func $g) (func $g)
           (func (drop (table.get $t (i32.const 0))) (drop (table.size $t))
             (call_indirect $t (i32.const 0)) (return_call_indirect $t (i32.const 0)))",
        &[],
    );
    check(
        "(start 0) (@custom \"x\" (before export) \"y\") (@custom \"z\" (after last) \"y\")",
        &[],
    );
}

#[test]
fn what_changes_unseen_is_not_exposed() {
    let check = |parts: &str| assert_eq!(expose(&module(parts)), None, "{parts}");
    let table = |body: &str| {
        check(&format!(
            "(table $t 2 funcref) (elem $e func 0) (elem declare func 0) (func {body})"
        ));
    };
    table("(table.set $t (i32.const 0) (ref.func 0))");
    table("(drop (table.grow $t (ref.null func) (i32.const 1)))");
    table("(table.fill $t (i32.const 0) (ref.null func) (i32.const 1))");
    table("(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))");
    table("(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))");
    table("(elem.drop $e)");
    check("(data $d \"x\") (func (data.drop $d))");
    // In code that does not look as if it ran.
    check(
        "(data $d \"x\") (func unreachable (block (loop (if (i32.const 0) (then (data.drop $d))))))",
    );
    check("(global (mut funcref) (ref.null func))");
    check("(global (mut externref) (ref.null extern))");
    check(&"(global (mut i32) (i32.const 1))".repeat(257));
    check("(global (export \"airside:global:0\") (mut i32) (i32.const 1))");
    check("(func (export \"airside:global:other\"))");
    check("(memory 1)");
    check("(tag)");
    check("(type (struct (field (mut i32))))");
    check("(func (try_table))");
    check("(func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 0))))");
    check(
        "(func (param i64 i64 i64 i64) (result i64 i64)
        (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
    );

    let check = |text: &str| {
        assert_eq!(expose(&wat::parse_str(text).unwrap()), None, "{text}");
    };
    check("(module)");
    check("(module (memory 1))");
    check("(module (func (export \"f\")))");
    check("(module (memory i64 1) (func (export \"f\")))");
    check("(module (memory 1 1 shared) (func (export \"f\")))");
    check("(module (memory 1 (pagesize 1)) (func (export \"f\")))");
    for import in ["(memory 1)", "(table 1 funcref)", "(global i32)", "(global (mut i32))"] {
        check(&format!("(module (import \"m\" \"i\" {import}) (func (export \"f\")))"));
        check(&format!("(module (import \"m\" \"i\" {import}) (memory 1) (func (export \"f\")))"));
    }
    check("(component)");
    // An engine refuses it; it is not for this to make anything of it.
    let mut invalid = module("(func (result i32) (i32.const 7))");
    let at = invalid.windows(2).position(|w| w == [0x41, 7]).unwrap();
    invalid[at] = 0x42;
    assert_eq!(expose(&invalid), None);
}

#[test]
fn modules_of_all_toolchains_are_exposed() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    for language in ["assemblyscript", "c", "demo", "go", "rust-wasi", "zig"] {
        let wasm = std::fs::read(format!("{examples}/{language}/echo.wasm")).unwrap();
        let mutable = expose(&wasm).map(|exposed| {
            let (exports, _) = sections(&exposed);
            exports.iter().filter(|(name, ..)| name.starts_with(HIDDEN)).count()
        });
        assert!(mutable.is_some_and(|count| count > 0), "{language}: {mutable:?}");
    }
}

/// A module that has some of everything.
fn seed() -> Vec<u8> {
    let text = "(module (import \"m\" \"f\" (func (param i32))) (memory 1) (table 2 funcref)
        (global (mut i32) (i32.const 1)) (global (export \"g\") (mut v128) (v128.const i64x2 1 2))
        (export \"m\" (memory 0)) (elem (i32.const 0) func 0) (data (i32.const 8) \"text\")
        (@custom \"x\" (before export) \"y\")
        (func (param i32) (result i32) (local i64)
          (block (br_if 0 (local.get 0)) (call 0 (i32.load8_u (local.get 0))))
          (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) (global.get 0)))";
    wat::parse_str(text).unwrap()
}

proptest! {
    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(expose(&bytes), None);
        let with_header = [b"\0asm\x01\0\0\0".to_vec(), bytes].concat();
        let _ = expose(&with_header);
    }

    /// Whatever is damaged in a module: what comes out is one, and the original was one too.
    #[test]
    fn what_comes_out_is_a_module(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut wasm = seed();
        for (at, byte) in damage {
            let at = at.index(wasm.len());
            wasm[at] = byte;
        }
        if cut {
            wasm.truncate(length.index(wasm.len()));
        }
        if let Some(exposed) = expose(&wasm) {
            let validate = |wasm: &[u8]| Validator::new_with_features(FEATURES).validate_all(wasm);
            prop_assert!(validate(&exposed).is_ok() && validate(&wasm).is_ok());
            let ((exports, others), (before, before_others)) = (sections(&exposed), sections(&wasm));
            prop_assert_eq!(&exports[..before.len()], &before[..]);
            prop_assert!(others == before_others);
        }
    }
}
