package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"

	"interop/contracts"
	"interop/wire"
)

// Many requests, many responses, and calls that end early.
var streamingCases = []testCase{
	{"client_streaming", clientStreaming},
	{"client_compressed_streaming", clientCompressedStreaming},
	{"server_streaming", serverStreaming},
	{"server_compressed_streaming", serverCompressedStreaming},
	{"ping_pong", pingPong},
	{"empty_stream", emptyStream},
	{"cancel_after_begin", cancelAfterBegin},
	{"cancel_after_first_response", cancelAfterFirstResponse},
	{"timeout_on_sleeping_server", timeoutOnSleepingServer},
	{"deadline_in_stream", deadlineInStream},
	{"slow_stream", slowStream},
}

// withCall runs body with the time that a case has.
func withCall(
	target string, limit time.Duration, body func(context.Context, contracts.TestServiceClient) error,
) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		ctx, cancel := waiting(limit)
		defer cancel()
		return body(ctx, service)
	})
}

type receiver interface {
	Recv() (*contracts.StreamingOutputCallResponse, error)
}

// expectAnswers wants responses of those sizes.
func expectAnswers(stream receiver, sizes ...int) error {
	for _, size := range sizes {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectZeros(answer.GetPayload(), size); err != nil {
			return err
		}
	}
	return nil
}

func expectEnd(stream receiver) error {
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("instead of the end came %v", err)
	}
	return nil
}

func clientStreaming(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		stream, err := service.StreamingInputCall(ctx, ready)
		if err != nil {
			return err
		}
		for _, size := range requestSizes {
			if err := stream.Send(&contracts.StreamingInputCallRequest{Payload: zeros(size)}); err != nil {
				return err
			}
		}
		answer, err := stream.CloseAndRecv()
		if err == nil && answer.GetAggregatedPayloadSize() != 74922 {
			return fmt.Errorf("a sum of %d instead of 74922", answer.GetAggregatedPayloadSize())
		}
		return err
	})
}

// grpc-go compresses all requests of a call or none, so the two requests travel in a call each.
func clientCompressedStreaming(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		send := func(size int, expected bool, options ...grpc.CallOption) error {
			stream, err := service.StreamingInputCall(ctx, append(options, ready)...)
			if err != nil {
				return err
			}
			request := &contracts.StreamingInputCallRequest{Payload: zeros(size), ExpectCompressed: flag(expected)}
			if err := stream.Send(request); err != nil && err != io.EOF {
				return err
			}
			answer, err := stream.CloseAndRecv()
			if err == nil && int(answer.GetAggregatedPayloadSize()) != size {
				return fmt.Errorf("a sum of %d instead of %d", answer.GetAggregatedPayloadSize(), size)
			}
			return err
		}
		if err := expectStatus(send(27182, true), codes.InvalidArgument, "the probe"); err != nil {
			return err
		}
		if err := send(27182, true, grpc.UseCompressor(gzip.Name)); err != nil {
			return err
		}
		return send(45904, false)
	})
}

func serverStreaming(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		stream, err := service.StreamingOutputCall(ctx, ask(0, responseSizes...), ready)
		if err != nil {
			return err
		}
		if err := expectAnswers(stream, responseSizes...); err != nil {
			return err
		}
		return expectEnd(stream)
	})
}

func serverCompressedStreaming(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		ctx, seen := wire.WithSeen(ctx)
		request := ask(0, 31415, 92653)
		request.ResponseParameters[0].Compressed = flag(true)
		request.ResponseParameters[1].Compressed = flag(false)
		stream, err := service.StreamingOutputCall(ctx, request, ready, acceptsGzip)
		if err != nil {
			return err
		}
		for _, parameters := range request.GetResponseParameters() {
			if err := expectAnswers(stream, int(parameters.GetSize())); err != nil {
				return err
			}
			if seen.CameCompressed() != parameters.GetCompressed().GetValue() {
				return fmt.Errorf("an answer's compression is not what was asked for")
			}
		}
		return expectEnd(stream)
	})
}

func pingPong(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		stream, err := service.FullDuplexCall(ctx, ready)
		if err != nil {
			return err
		}
		for index := range requestSizes {
			if err := stream.Send(ask(requestSizes[index], responseSizes[index])); err != nil {
				return err
			}
			if err := expectAnswers(stream, responseSizes[index]); err != nil {
				return err
			}
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		return expectEnd(stream)
	})
}

func emptyStream(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		stream, err := service.FullDuplexCall(ctx, ready)
		if err != nil {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		return expectEnd(stream)
	})
}

func cancelAfterBegin(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		ctx, cancel := context.WithCancel(ctx)
		stream, err := service.StreamingInputCall(ctx, ready)
		cancel()
		if err != nil {
			return err
		}
		_, err = stream.CloseAndRecv()
		return expectStatus(err, codes.Canceled, "the call")
	})
}

func cancelAfterFirstResponse(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := service.FullDuplexCall(ctx, ready)
		if err != nil {
			return err
		}
		if err := stream.Send(ask(27182, 31415)); err != nil {
			return err
		}
		if err := expectAnswers(stream, 31415); err != nil {
			return err
		}
		cancel()
		_, err = stream.Recv()
		return expectStatus(err, codes.Canceled, "the call")
	})
}

func timeoutOnSleepingServer(target string) error {
	return withCall(
		target, time.Millisecond, func(ctx context.Context, service contracts.TestServiceClient) error {
			stream, err := service.FullDuplexCall(ctx, ready)
			if err == nil {
				if err := stream.Send(ask(27182)); err != nil && err != io.EOF {
					return err
				}
				_, err = stream.Recv()
			}
			return expectStatus(err, codes.DeadlineExceeded, "the call")
		})
}

// The deadline passes between two answers.
func deadlineInStream(target string) error {
	began := time.Now()
	return withCall(
		target, 500*time.Millisecond, func(ctx context.Context, service contracts.TestServiceClient) error {
			request := ask(0, 10, 10)
			request.ResponseParameters[1].IntervalUs = 20_000_000
			stream, err := service.StreamingOutputCall(ctx, request, ready)
			if err != nil {
				return err
			}
			if err := expectAnswers(stream, 10); err != nil {
				return err
			}
			_, err = stream.Recv()
			if time.Since(began) > 10*time.Second {
				return fmt.Errorf("the deadline was overslept")
			}
			return expectStatus(err, codes.DeadlineExceeded, "the call")
		})
}

// The second answer comes as much later as was asked for.
func slowStream(target string) error {
	return withCall(target, patience, func(ctx context.Context, service contracts.TestServiceClient) error {
		request := ask(0, 10, 20)
		request.ResponseParameters[1].IntervalUs = 1_000_000
		stream, err := service.StreamingOutputCall(ctx, request, ready)
		if err != nil {
			return err
		}
		if err := expectAnswers(stream, 10); err != nil {
			return err
		}
		began := time.Now()
		if err := expectAnswers(stream, 20); err != nil {
			return err
		}
		if time.Since(began) < 900*time.Millisecond {
			return fmt.Errorf("the second answer came early")
		}
		return expectEnd(stream)
	})
}
