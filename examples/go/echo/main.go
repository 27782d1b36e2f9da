// Command echo answers with what it was given.
package main

import "functions/wapc"

func init() {
	wapc.Register("handler", func(payload []byte) ([]byte, error) { return payload, nil })
}

func main() {}
