package main

import (
	"bytes"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"interop/contracts"
	"interop/wire"
)

// What travels beside the messages.
var callCases = []testCase{
	{"custom_metadata", func(target string) error {
		return echoMetadata(target, "test_initial_metadata_value", "\xab\xab\xab")
	}},
	{"large_metadata", largeMetadata},
	{"binary_metadata", binaryMetadata},
	{"status_code_and_message", func(target string) error { return echoStatus(target, "test status message") }},
	{"special_status_message", func(target string) error {
		return echoStatus(target, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")
	}},
	{"unimplemented_method", unimplementedMethod},
	{"unimplemented_service", unimplementedService},
}

func expectEchoed(headers, trailers metadata.MD, initial, trailing string) error {
	if got := headers.Get(wire.EchoInitial); len(got) != 1 || got[0] != initial {
		return fmt.Errorf("initial metadata is not the same")
	}
	if got := trailers.Get(wire.EchoTrailing); len(got) != 1 || got[0] != trailing {
		return fmt.Errorf("trailing metadata is not the same")
	}
	return nil
}

// echoMetadata makes a unary call and a stream that carry the two values, and get them back.
func echoMetadata(target, initial, trailing string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		ctx, cancel := waiting(patience)
		defer cancel()
		ctx = metadata.AppendToOutgoingContext(ctx, wire.EchoInitial, initial, wire.EchoTrailing, trailing)
		var headers, trailers metadata.MD
		answer, err := service.UnaryCall(ctx, large(), ready, grpc.Header(&headers), grpc.Trailer(&trailers))
		if err != nil {
			return err
		}
		if err := expectZeros(answer.GetPayload(), largeResponse); err != nil {
			return err
		}
		if err := expectEchoed(headers, trailers, initial, trailing); err != nil {
			return err
		}
		stream, err := service.FullDuplexCall(ctx, ready)
		if err != nil {
			return err
		}
		if err := stream.Send(ask(largeRequest, largeResponse)); err != nil {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		one, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expectZeros(one.GetPayload(), largeResponse); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != io.EOF {
			return fmt.Errorf("the stream goes on with %v", err)
		}
		headers, err = stream.Header()
		if err != nil {
			return err
		}
		return expectEchoed(headers, stream.Trailer(), initial, trailing)
	})
}

func largeMetadata(target string) error {
	// 6 KiB of text and 2 KiB of base64: 8 KiB each way.
	trailing := make([]byte, 1536)
	for index := range trailing {
		trailing[index] = byte(index * 7)
	}
	return echoMetadata(target, string(bytes.Repeat([]byte("m"), 6144)), string(trailing))
}

// Every remainder of base64's groups of three, and every byte.
func binaryMetadata(target string) error {
	var all []byte
	for length := 1; length <= 6; length++ {
		all = append(all, byte(0xf9+length))
		if err := echoMetadata(target, "text", string(all)); err != nil {
			return err
		}
	}
	all = nil
	for value := 0; value < 256; value++ {
		all = append(all, byte(value))
	}
	return echoMetadata(target, "text", string(all))
}

func expectMessage(err error, message, what string) error {
	if err := expectStatus(err, codes.Unknown, what); err != nil {
		return err
	}
	if got := status.Convert(err).Message(); got != message {
		return fmt.Errorf("%s's message came as %q", what, got)
	}
	return nil
}

func echoStatus(target, message string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		ctx, cancel := waiting(patience)
		defer cancel()
		wanted := &contracts.EchoStatus{Code: int32(codes.Unknown), Message: message}
		_, err := service.UnaryCall(ctx, &contracts.SimpleRequest{ResponseStatus: wanted}, ready)
		if err := expectMessage(err, message, "the unary call"); err != nil {
			return err
		}
		stream, err := service.FullDuplexCall(ctx, ready)
		if err != nil {
			return err
		}
		if err := stream.Send(&contracts.StreamingOutputCallRequest{ResponseStatus: wanted}); err != nil {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		_, err = stream.Recv()
		return expectMessage(err, message, "the stream")
	})
}

func unimplementedMethod(target string) error {
	return withStub(target, func(service contracts.TestServiceClient) error {
		ctx, cancel := waiting(patience)
		defer cancel()
		_, err := service.UnimplementedCall(ctx, &contracts.Empty{}, ready)
		return expectStatus(err, codes.Unimplemented, "the call")
	})
}

func unimplementedService(target string) error {
	return withChannel(target, func(channel *grpc.ClientConn) error {
		ctx, cancel := waiting(patience)
		defer cancel()
		_, err := contracts.NewUnimplementedServiceClient(channel).UnimplementedCall(ctx, &contracts.Empty{}, ready)
		return expectStatus(err, codes.Unimplemented, "the call")
	})
}
