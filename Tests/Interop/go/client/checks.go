package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/contracts"
	"interop/wire"
)

const (
	largeRequest  = 271828
	largeResponse = 314159
	patience      = 20 * time.Second
)

var (
	requestSizes  = []int{27182, 8, 1828, 45904}
	responseSizes = []int{31415, 9, 2653, 58979}
	ready         = grpc.WaitForReady(true)
)

// withStub makes a channel of its own, and closes it in the end.
func withStub(target string, body func(contracts.TestServiceClient) error, options ...grpc.DialOption) error {
	return withChannel(target, func(channel *grpc.ClientConn) error {
		return body(contracts.NewTestServiceClient(channel))
	}, options...)
}

func withChannel(target string, body func(*grpc.ClientConn) error, options ...grpc.DialOption) error {
	options = append([]grpc.DialOption{grpc.WithStatsHandler(wire.Statistics{})}, options...)
	channel, err := wire.Dial(target, options...)
	if err != nil {
		return err
	}
	outcome := body(channel)
	if err := channel.Close(); outcome == nil {
		outcome = err
	}
	return outcome
}

func waiting(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), limit)
}

// expectStatus wants a call to have ended with that code.
func expectStatus(err error, code codes.Code, what string) error {
	if status.Code(err) != code {
		return fmt.Errorf("%s ended with %v %v instead of %v", what, status.Code(err), err, code)
	}
	return nil
}

func zeros(size int) *contracts.Payload { return &contracts.Payload{Body: make([]byte, size)} }

func flag(value bool) *contracts.BoolValue { return &contracts.BoolValue{Value: value} }

func large() *contracts.SimpleRequest {
	return &contracts.SimpleRequest{ResponseSize: largeResponse, Payload: zeros(largeRequest)}
}

func expectZeros(payload *contracts.Payload, size int) error {
	if len(payload.GetBody()) != size {
		return fmt.Errorf("a payload of %d bytes instead of %d", len(payload.GetBody()), size)
	}
	if !bytes.Equal(payload.GetBody(), make([]byte, size)) {
		return fmt.Errorf("a payload that is not all zeros")
	}
	return nil
}

// ask makes a request for one response of each size.
func ask(requestSize int, sizes ...int) *contracts.StreamingOutputCallRequest {
	request := &contracts.StreamingOutputCallRequest{}
	if requestSize > 0 {
		request.Payload = zeros(requestSize)
	}
	for _, size := range sizes {
		request.ResponseParameters = append(
			request.ResponseParameters, &contracts.ResponseParameters{Size: int32(size)})
	}
	return request
}
