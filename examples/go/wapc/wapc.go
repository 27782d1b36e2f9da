// Package wapc is the guest's side of the waPC protocol: it registers functions that the host can
// call, and calls the host.
package wapc

import (
	"errors"
	"unsafe"
)

// A Function answers one invocation. Its error's text goes to the caller instead of an answer.
type Function func(payload []byte) ([]byte, error)

var functions = map[string]Function{}

// Register has f answer the calls of operation. It belongs in an init function: main is not run in
// a module built with -buildmode=c-shared.
func Register(operation string, f Function) {
	functions[operation] = f
}

// HostCall asks the host and returns its answer.
func HostCall(binding, namespace, operation string, payload []byte) ([]byte, error) {
	ok := hostCall(
		unsafe.Pointer(unsafe.StringData(binding)), uint32(len(binding)),
		unsafe.Pointer(unsafe.StringData(namespace)), uint32(len(namespace)),
		unsafe.Pointer(unsafe.StringData(operation)), uint32(len(operation)),
		pointer(payload), uint32(len(payload)),
	)
	if ok == 0 {
		text := make([]byte, hostErrorLen())
		hostError(pointer(text))
		return nil, errors.New(string(text))
	}
	answer := make([]byte, hostResponseLen())
	hostResponse(pointer(answer))
	return answer, nil
}

//go:wasmexport __guest_call
func guestCall(operationLen, payloadLen uint32) uint32 {
	operation, payload := make([]byte, operationLen), make([]byte, payloadLen)
	guestRequest(pointer(operation), pointer(payload))
	answer, err := call(string(operation), payload)
	if err != nil {
		text := []byte(err.Error())
		guestError(pointer(text), uint32(len(text)))
		return 0
	}
	guestResponse(pointer(answer), uint32(len(answer)))
	return 1
}

func call(operation string, payload []byte) ([]byte, error) {
	f, ok := functions[operation]
	if !ok {
		return nil, errors.New("could not find function " + operation)
	}
	return f(payload)
}

func pointer(bytes []byte) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(bytes))
}

//go:wasmimport wapc __guest_request
func guestRequest(operation, payload unsafe.Pointer)

//go:wasmimport wapc __guest_response
func guestResponse(answer unsafe.Pointer, length uint32)

//go:wasmimport wapc __guest_error
func guestError(text unsafe.Pointer, length uint32)

//go:wasmimport wapc __host_call
func hostCall(
	binding unsafe.Pointer, bindingLen uint32,
	namespace unsafe.Pointer, namespaceLen uint32,
	operation unsafe.Pointer, operationLen uint32,
	payload unsafe.Pointer, payloadLen uint32,
) uint32

//go:wasmimport wapc __host_response_len
func hostResponseLen() uint32

//go:wasmimport wapc __host_response
func hostResponse(answer unsafe.Pointer)

//go:wasmimport wapc __host_error_len
func hostErrorLen() uint32

//go:wasmimport wapc __host_error
func hostError(text unsafe.Pointer)
