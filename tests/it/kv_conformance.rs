//! One list of what every key-value store must do, held against each of them with its real server.

mod any_shard;
mod keys;
mod store;
mod values;

use store::Store;

/// The list, as tests of one store.
macro_rules! conforms {
    ($($store:ident)*) => { $(
        mod $store {
            use super::{Store, any_shard, keys, values};

            conforms!(@checks super::store::$store =>
                values::what_is_set_is_read
                values::what_is_deleted_is_gone
                values::a_missing_key_is_said_to_be_missing
                values::empty_values_and_keys_are_refused
                values::any_bytes_are_kept
                values::a_value_of_a_mebibyte_is_kept
                values::json_is_answered_as_tarmac_does
                keys::odd_keys_are_kept_apart
                keys::ten_thousand_keys_are_listed
                any_shard::what_one_shard_sets_the_others_read
                any_shard::writers_on_all_shards_lose_nothing
            );
        }
    )* };
    (@checks $store:path => $($file:ident :: $check:ident)*) => { $(
        #[test]
        fn $check() {
            let store: Store = $store();
            $file::$check(&store);
        }
    )* };
}

conforms!(memory embedded redis cassandra nats);
