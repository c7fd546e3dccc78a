package main

import (
	"context"
	"fmt"
	"sync"
	"time"
	_ "unsafe" // for go:linkname

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"

	"interop/contracts"
)

// What grpc-go takes for the shortest time between two pings, ten seconds: it is a variable for grpc-go's own tests, in a
// package that is theirs alone.
//
//go:linkname shortestPingTime google.golang.org/grpc/internal.KeepaliveMinPingTime
var shortestPingTime time.Duration

// Many calls, many connections, and connections that live long.
var enduranceCases = []testCase{
	{"rpc_soak", rpcSoak},
	{"channel_soak", channelSoak},
	{"concurrent_large_unary", concurrentLargeUnary},
	{"keepalive", keptAlive},
}

func soakOnce(service contracts.TestServiceClient) error {
	began := time.Now()
	if err := callLarge(service); err != nil {
		return err
	}
	if time.Since(began) > 15*time.Second {
		return fmt.Errorf("a call took too long")
	}
	return nil
}

func rpcSoak(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		for count := 0; count < 100; count++ {
			if err := soakOnce(service); err != nil {
				return err
			}
		}
		return nil
	})
}

func channelSoak(target string) error {
	for count := 0; count < 25; count++ {
		if err := withStub(target, soakOnce); err != nil {
			return err
		}
	}
	return nil
}

func concurrentLargeUnary(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		const calls, atOnce = 200, 32
		failures := make(chan error, calls)
		places := make(chan struct{}, atOnce)
		var all sync.WaitGroup
		for count := 0; count < calls; count++ {
			all.Add(1)
			places <- struct{}{}
			go func() {
				defer all.Done()
				if err := soakOnce(service); err != nil {
					failures <- err
				}
				<-places
			}()
		}
		all.Wait()
		close(failures)
		return <-failures
	})
}

// A connection that pings twice a second lives through a quiet stream, and through a time without calls.
func keptAlive(target string) error {
	shortestPingTime = 100 * time.Millisecond
	parameters := keepalive.ClientParameters{
		Time: 500 * time.Millisecond, Timeout: 2 * time.Second, PermitWithoutStream: true,
	}
	return withChannel(target, func(channel *grpc.ClientConn) error {
		service := contracts.NewTestServiceClient(channel)
		ctx, cancel := waiting(patience)
		defer cancel()
		request := ask(0, 10, 10)
		request.ResponseParameters[1].IntervalUs = 2_500_000
		stream, err := service.StreamingOutputCall(ctx, request, ready)
		if err != nil {
			return err
		}
		if err := expectAnswers(stream, 10, 10); err != nil {
			return err
		}
		if err := expectEnd(stream); err != nil {
			return err
		}
		quiet, done := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer done()
		if channel.WaitForStateChange(quiet, connectivity.Ready) {
			return fmt.Errorf("the quiet connection was cut off")
		}
		_, err = service.EmptyCall(ctx, &contracts.Empty{}, ready)
		return err
	}, grpc.WithKeepaliveParams(parameters))
}
