package main

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/proto"

	"interop/contracts"
	"interop/wire"
)

// One request, one response.
var unaryCases = []testCase{
	{"empty_unary", emptyUnary},
	{"large_unary", largeUnary},
	{"client_compressed_unary", clientCompressedUnary},
	{"server_compressed_unary", serverCompressedUnary},
	{"max_message_size", maxMessageSize},
}

func emptyUnary(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		ctx, cancel := waiting(patience)
		defer cancel()
		answer, err := service.EmptyCall(ctx, &contracts.Empty{}, ready)
		if err == nil && proto.Size(answer) != 0 {
			return fmt.Errorf("the answer is not empty")
		}
		return err
	})
}

func callLarge(service contracts.TestServiceClient, options ...grpc.CallOption) error {
	ctx, cancel := waiting(patience)
	defer cancel()
	answer, err := service.UnaryCall(ctx, large(), append(options, ready)...)
	if err != nil {
		return err
	}
	return expectZeros(answer.GetPayload(), largeResponse)
}

func largeUnary(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error { return callLarge(service) })
}

func clientCompressedUnary(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		ctx, cancel := waiting(patience)
		defer cancel()
		request := large()
		request.ExpectCompressed = flag(true)
		_, err := service.UnaryCall(ctx, request, ready)
		if err := expectStatus(err, codes.InvalidArgument, "the probe"); err != nil {
			return err
		}
		for _, compressed := range []bool{true, false} {
			request.ExpectCompressed = flag(compressed)
			options := []grpc.CallOption{ready}
			if compressed {
				options = append(options, grpc.UseCompressor(gzip.Name))
			}
			answer, err := service.UnaryCall(ctx, request, options...)
			if err != nil {
				return err
			}
			if err := expectZeros(answer.GetPayload(), largeResponse); err != nil {
				return err
			}
		}
		return nil
	})
}

// grpc-go 1.33 says that it accepts gzip when it sends it.
var acceptsGzip = grpc.UseCompressor(gzip.Name)

func serverCompressedUnary(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		for _, compressed := range []bool{true, false} {
			ctx, cancel := waiting(patience)
			defer cancel()
			ctx, seen := wire.WithSeen(ctx)
			request := large()
			request.ResponseCompressed = flag(compressed)
			answer, err := service.UnaryCall(ctx, request, ready, acceptsGzip)
			if err != nil {
				return err
			}
			if seen.CameCompressed() != compressed {
				return fmt.Errorf("the answer's compression is not what was asked for")
			}
			if err := expectZeros(answer.GetPayload(), largeResponse); err != nil {
				return err
			}
		}
		return nil
	})
}

// A client that takes 1,000 bytes refuses a longer answer, and one that takes 8 MiB gets it.
func maxMessageSize(target string) error {
	for _, limit := range []int{1000, 8 * 1024 * 1024} {
		err := withStub(target, func(service contracts.TestServiceClient) error {
			for _, size := range []int{500, 6 * 1024 * 1024} {
				ctx, cancel := waiting(patience)
				defer cancel()
				answer, err := service.UnaryCall(ctx, &contracts.SimpleRequest{ResponseSize: int32(size)}, ready)
				if size > limit {
					err = expectStatus(err, codes.ResourceExhausted, fmt.Sprintf("the call for %d bytes", size))
				} else if err == nil {
					err = expectZeros(answer.GetPayload(), size)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(limit)))
		if err != nil {
			return err
		}
	}
	return nil
}
