// Package wire is what the Go programs of the interoperability tests share: targets, metadata, and what grpc-go tells
// of messages by way of its statistics alone.
package wire

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// Metadata that a server sends back, before the messages and after them.
const (
	EchoInitial  = "x-grpc-test-echo-initial"
	EchoTrailing = "x-grpc-test-echo-trailing-bin"
)

// Zeros of the longest response that a server makes.
const MaxResponseBytes = 64 * 1024 * 1024

// Address is the address of `unix:PATH` or `unix-abstract:NAME`, as package net writes it.
func Address(target string) (string, error) {
	if name := strings.TrimPrefix(target, "unix-abstract:"); name != target {
		return "@" + name, nil
	}
	if path := strings.TrimPrefix(target, "unix:"); path != target {
		return path, nil
	}
	return "", fmt.Errorf("%s: give unix:PATH or unix-abstract:NAME", target)
}

// Dial makes a channel with a connection of its own. It is given the address and a dialer, as programs do that are older
// than grpc-go's own scheme for Unix sockets: the address is then sent as `:authority` as well, unless --authority says
// otherwise.
func Dial(target string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	address, err := Address(target)
	if err != nil {
		return nil, err
	}
	dialer := func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", address)
	}
	options = append([]grpc.DialOption{grpc.WithInsecure(), grpc.WithContextDialer(dialer)}, options...)
	if authority := Argument("--authority", address); authority != address {
		options = append(options, grpc.WithAuthority(authority))
	}
	return grpc.Dial(address, options...)
}

// Argument is the value that follows `name` on the command line.
func Argument(name, fallback string) string {
	for index := 1; index+1 < len(os.Args); index++ {
		if os.Args[index] == name {
			return os.Args[index+1]
		}
	}
	if fallback == "" {
		fmt.Fprintf(os.Stderr, "%s: %s is needed\n", os.Args[0], name)
		os.Exit(64)
	}
	return fallback
}

// Seen is what is known of the message of a call that was received last.
type Seen struct{ compressed int32 }

// CameCompressed says whether it came compressed.
func (seen *Seen) CameCompressed() bool { return atomic.LoadInt32(&seen.compressed) != 0 }

type seenKey struct{}

// WithSeen has a client's call note what it receives.
func WithSeen(ctx context.Context) (context.Context, *Seen) {
	seen := &Seen{}
	return context.WithValue(ctx, seenKey{}, seen), seen
}

// SeenOf is what a call notes; every call of a server with Statistics does.
func SeenOf(ctx context.Context) *Seen {
	seen, _ := ctx.Value(seenKey{}).(*Seen)
	return seen
}

// Statistics notes how messages came. grpc-go tells no service and no caller of it otherwise.
type Statistics struct{}

func (Statistics) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if SeenOf(ctx) != nil {
		return ctx
	}
	ctx, _ = WithSeen(ctx)
	return ctx
}

func (Statistics) HandleRPC(ctx context.Context, event stats.RPCStats) {
	payload, isPayload := event.(*stats.InPayload)
	seen := SeenOf(ctx)
	if !isPayload || seen == nil {
		return
	}
	// Five bytes of a prefix, and the message: as it is, or in gzip, which zeros are never as long in.
	var compressed int32
	if payload.WireLength-5 != payload.Length {
		compressed = 1
	}
	atomic.StoreInt32(&seen.compressed, compressed)
}

func (Statistics) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (Statistics) HandleConn(context.Context, stats.ConnStats) {}
