// Package kv asks the key-value store, by host calls that carry protobuf messages.
package kv

import (
	"encoding/binary"
	"errors"
	"strings"

	"functions/wapc"
)

// ErrAbsent says that a key has no value.
var ErrAbsent = errors.New("no value")

// The numbers of the messages' fields: key and data of a request, data of a response.
const (
	fieldKey  = 1
	fieldData = 2
)

// Get returns the value of key.
func Get(key string) ([]byte, error) {
	answer, err := wapc.HostCall("tarmac", "kvstore", "get", field(nil, fieldKey, []byte(key)))
	if err != nil {
		// All that a guest gets of an error is its text.
		if strings.HasSuffix(err.Error(), "nil value returned from database") {
			return nil, ErrAbsent
		}
		return nil, err
	}
	return find(answer, fieldData)
}

// Set stores data, which must not be empty, as the value of key.
func Set(key string, data []byte) error {
	request := field(field(nil, fieldKey, []byte(key)), fieldData, data)
	_, err := wapc.HostCall("tarmac", "kvstore", "set", request)
	return err
}

// field appends a field of bytes to a message.
func field(message []byte, number uint64, data []byte) []byte {
	message = binary.AppendUvarint(message, number<<3|2)
	message = binary.AppendUvarint(message, uint64(len(data)))
	return append(message, data...)
}

// find returns a field of a message whose fields are all of bytes, as those of the store are.
func find(message []byte, number uint64) ([]byte, error) {
	for len(message) > 0 {
		tag, tagLen := binary.Uvarint(message)
		length, lengthLen := binary.Uvarint(message[max(tagLen, 0):])
		if tagLen <= 0 || lengthLen <= 0 || tag&7 != 2 {
			return nil, errors.New("malformed answer")
		}
		message = message[tagLen+lengthLen:]
		if length > uint64(len(message)) {
			return nil, errors.New("malformed answer")
		}
		if tag>>3 == number {
			return message[:length], nil
		}
		message = message[length:]
	}
	return nil, nil
}
