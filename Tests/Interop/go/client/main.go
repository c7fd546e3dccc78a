// The cases of gRPC's interoperability tests on grpc-go, and a few of our own; see ../../README.md.
//
// Usage: interop-client --target unix:PATH|unix-abstract:NAME [--case NAME|all] [--authority NAME], or: interop-client cases
package main

import (
	"fmt"
	"os"
	"strings"

	"interop/wire"
)

// One case; it says what went wrong.
type testCase struct {
	name string
	body func(target string) error
}

func main() {
	var cases []testCase
	for _, more := range [][]testCase{unaryCases, callCases, streamingCases, enduranceCases} {
		cases = append(cases, more...)
	}
	if len(os.Args) == 2 && os.Args[1] == "cases" {
		for _, each := range cases {
			fmt.Println(each.name)
		}
		return
	}
	target := wire.Argument("--target", "")
	wanted := wire.Argument("--case", "all")
	ran, failed := 0, 0
	for _, each := range cases {
		if wanted != "all" && wanted != each.name {
			continue
		}
		ran++
		if err := each.body(target); err != nil {
			failed++
			fmt.Printf("FAIL %s: %s\n", each.name, strings.Join(strings.Fields(err.Error()), " "))
			continue
		}
		fmt.Printf("PASS %s\n", each.name)
	}
	if ran == 0 {
		fmt.Fprintf(os.Stderr, "there is no case %s\n", wanted)
	}
	if ran == 0 || failed > 0 {
		os.Exit(1)
	}
}
