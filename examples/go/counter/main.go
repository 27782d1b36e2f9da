// Command counter counts its calls in the key-value store and answers with the number of this one.
//
// Reading, adding one and writing back are three steps: calls at the same time can read the same
// number, and then one increment is lost.
package main

import (
	"errors"
	"strconv"

	"functions/kv"
	"functions/wapc"
)

const key = "counter"

func init() {
	wapc.Register("handler", count)
}

func count([]byte) ([]byte, error) {
	number := uint64(1)
	stored, err := kv.Get(key)
	switch {
	case err == nil:
		if number, err = strconv.ParseUint(string(stored), 10, 64); err != nil {
			return nil, err
		}
		number++
	case !errors.Is(err, kv.ErrAbsent):
		return nil, err
	}
	answer := strconv.AppendUint(nil, number, 10)
	return answer, kv.Set(key, answer)
}

func main() {}
