// Writes a BoltDB file with bbolt itself, as Tarmac does, for the tests of `airside import-bolt`.
//
//	go run . [-keys N] [-large N] [-page BYTES] FILE
//
// Bucket "tarmac": N keys `key-00000` and so on, of which every third was deleted and set again and every seventh deleted
// for good; keys that are no text; as many `large-0` and so on as are asked for, with 1 MiB each; and a bucket within it,
// which Tarmac never makes. Bucket "second": two keys, few enough for bbolt to keep them within the entry that names it.
// Bucket "none": nothing.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"

	"go.etcd.io/bbolt"
)

const perCommit = 1000

func main() {
	keys := flag.Int("keys", 10000, "keys in the bucket tarmac")
	large := flag.Int("large", 3, "values of 1 MiB")
	page := flag.Int("page", 0, "page size; 0 is the machine's own")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("name one file")
	}
	db, err := bbolt.Open(flag.Arg(0), 0o640, &bbolt.Options{PageSize: *page})
	check(err)
	for from := 0; from < *keys; from += perCommit {
		update(db, "tarmac", func(bucket *bbolt.Bucket) error { return fill(bucket, from, min(from+perCommit, *keys)) })
	}
	update(db, "tarmac", func(bucket *bbolt.Bucket) error { return odd(bucket, *large) })
	update(db, "tarmac", func(bucket *bbolt.Bucket) error { return again(bucket, *keys) })
	update(db, "second", func(bucket *bbolt.Bucket) error {
		check(bucket.Put([]byte("a"), []byte("one")))
		return bucket.Put([]byte("b"), []byte("two"))
	})
	update(db, "none", func(*bbolt.Bucket) error { return nil })
	check(db.Close())
}

func fill(bucket *bbolt.Bucket, from, to int) error {
	for i := from; i < to; i++ {
		if err := bucket.Put(key(i), data(i)); err != nil {
			return err
		}
	}
	return nil
}

func again(bucket *bbolt.Bucket, keys int) error {
	for i := 0; i < keys; i += 3 {
		check(bucket.Delete(key(i)))
		check(bucket.Put(key(i), data(i)))
	}
	for i := 0; i < keys; i += 7 {
		check(bucket.Delete(key(i)))
	}
	return nil
}

func odd(bucket *bbolt.Bucket, large int) error {
	check(bucket.Put([]byte{0xff, 0x00, 0xfe}, []byte{0x00, 0xff}))
	check(bucket.Put([]byte("line\nfeed \x00 é"), []byte("odd")))
	for i := 0; i < large; i++ {
		check(bucket.Put([]byte(fmt.Sprintf("large-%d", i)), bytes.Repeat([]byte{byte(i), 0xff, '\n', 0}, 1<<18)))
	}
	inner, err := bucket.CreateBucketIfNotExists([]byte("nested"))
	check(err)
	return inner.Put([]byte("in"), []byte("side"))
}

func key(i int) []byte { return []byte(fmt.Sprintf("key-%05d", i)) }

func data(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%d\x00\xff", i)), 1+i%50) }

func update(db *bbolt.DB, name string, change func(*bbolt.Bucket) error) {
	check(db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte(name))
		check(err)
		return change(bucket)
	}))
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
