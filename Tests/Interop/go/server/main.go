// grpc.testing.TestService on grpc-go, as gRPC's interoperability tests describe it.
//
// Usage: interop-server --listen unix:PATH|unix-abstract:NAME. Ends on SIGTERM, calls in flight first. It answers
// compressed whom it was asked compressed: grpc-go 1.33 lets no handler choose.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"interop/contracts"
	"interop/wire"
)

const drainTime = 10 * time.Second

type service struct {
	contracts.UnimplementedTestServiceServer
}

// answerStream is either stream of responses.
type answerStream interface {
	Send(*contracts.StreamingOutputCallResponse) error
	Context() context.Context
}

// echoMetadata sends back what the caller asked to have echoed.
func echoMetadata(ctx context.Context) error {
	received, _ := metadata.FromIncomingContext(ctx)
	if values := received.Get(wire.EchoInitial); len(values) > 0 {
		if err := grpc.SetHeader(ctx, metadata.Pairs(wire.EchoInitial, values[0])); err != nil {
			return err
		}
	}
	if values := received.Get(wire.EchoTrailing); len(values) > 0 {
		return grpc.SetTrailer(ctx, metadata.Pairs(wire.EchoTrailing, values[0]))
	}
	return nil
}

func expectCompressed(ctx context.Context, expected *contracts.BoolValue) error {
	if expected == nil || expected.GetValue() == wire.SeenOf(ctx).CameCompressed() {
		return nil
	}
	return status.Error(codes.InvalidArgument, "expect_compressed: the request's compression is not as announced")
}

// asked is the status that the call is to end with, if any.
func asked(echo *contracts.EchoStatus) error {
	if echo.GetCode() == 0 {
		return nil
	}
	return status.Error(codes.Code(echo.GetCode()), echo.GetMessage())
}

func payload(size int32) (*contracts.Payload, error) {
	if size < 0 || size > wire.MaxResponseBytes {
		return nil, status.Error(codes.InvalidArgument, "the size of the response is out of range")
	}
	return &contracts.Payload{Body: make([]byte, size)}, nil
}

func answer(request *contracts.StreamingOutputCallRequest, stream answerStream) error {
	for _, parameters := range request.GetResponseParameters() {
		select {
		case <-time.After(time.Duration(parameters.GetIntervalUs()) * time.Microsecond):
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
		body, err := payload(parameters.GetSize())
		if err != nil {
			return err
		}
		if err := stream.Send(&contracts.StreamingOutputCallResponse{Payload: body}); err != nil {
			return err
		}
	}
	return nil
}

func (service) EmptyCall(ctx context.Context, _ *contracts.Empty) (*contracts.Empty, error) {
	return &contracts.Empty{}, echoMetadata(ctx)
}

func (service) UnaryCall(ctx context.Context, request *contracts.SimpleRequest) (*contracts.SimpleResponse, error) {
	if err := echoMetadata(ctx); err != nil {
		return nil, err
	}
	if err := expectCompressed(ctx, request.GetExpectCompressed()); err != nil {
		return nil, err
	}
	if err := asked(request.GetResponseStatus()); err != nil {
		return nil, err
	}
	body, err := payload(request.GetResponseSize())
	return &contracts.SimpleResponse{Payload: body}, err
}

func (service) StreamingOutputCall(
	request *contracts.StreamingOutputCallRequest, stream contracts.TestService_StreamingOutputCallServer,
) error {
	if err := echoMetadata(stream.Context()); err != nil {
		return err
	}
	return answer(request, stream)
}

func (service) StreamingInputCall(stream contracts.TestService_StreamingInputCallServer) error {
	if err := echoMetadata(stream.Context()); err != nil {
		return err
	}
	var total int32
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&contracts.StreamingInputCallResponse{AggregatedPayloadSize: total})
		}
		if err != nil {
			return err
		}
		if err := expectCompressed(stream.Context(), request.GetExpectCompressed()); err != nil {
			return err
		}
		total += int32(len(request.GetPayload().GetBody()))
	}
}

func (service) FullDuplexCall(stream contracts.TestService_FullDuplexCallServer) error {
	if err := echoMetadata(stream.Context()); err != nil {
		return err
	}
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := asked(request.GetResponseStatus()); err != nil {
			return err
		}
		if err := answer(request, stream); err != nil {
			return err
		}
	}
}

func (service) HalfDuplexCall(stream contracts.TestService_HalfDuplexCallServer) error {
	if err := echoMetadata(stream.Context()); err != nil {
		return err
	}
	var requests []*contracts.StreamingOutputCallRequest
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		requests = append(requests, request)
	}
	for _, request := range requests {
		if err := answer(request, stream); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	target := wire.Argument("--listen", "")
	address, err := wire.Address(target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(64)
	}
	listener, err := net.Listen("unix", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(wire.MaxResponseBytes), grpc.StatsHandler(wire.Statistics{}),
		// Pings as often as tests need them; gRPC's default is one in five minutes.
		grpc.KeepaliveEnforcementPolicy(
			keepalive.EnforcementPolicy{MinTime: 100 * time.Millisecond, PermitWithoutStream: true}))
	contracts.RegisterTestServiceServer(server, service{})
	stopping := make(chan os.Signal, 1)
	signal.Notify(stopping, syscall.SIGTERM, os.Interrupt)
	drained := make(chan struct{})
	go func() {
		<-stopping
		time.AfterFunc(drainTime, server.Stop)
		server.GracefulStop()
		close(drained)
	}()
	fmt.Printf("serving on %s\n", target)
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-drained
}
