package main

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
)

const (
	backup     = "samtal.backup.v1.BackupService"
	clock      = "samtal.clock.v1.ClockService"
	deployment = "samtal.deployment.v1.DeploymentService"
)

// served are the services that each socket answers for, apart from gRPC's own.
var served = map[string][]string{
	"identity":  {backup, clock, deployment, "samtal.identity.v1.IdentityService"},
	"chat":      {backup, "samtal.chat.v1.ChatService", clock, deployment},
	"retention": {backup, clock, deployment, "samtal.retention.v1.RetentionService"},
	"gateway": {
		"samtal.chat.v1.ChatService", deployment, "samtal.identity.v1.IdentityService",
		"samtal.retention.v1.RetentionService",
	},
}

// checkHealth asks, with grpc-go's own health client, by every name that a probe may be given.
func (all channels) checkHealth(ctx context.Context) error {
	for socket, channel := range all {
		client := health.NewHealthClient(channel)
		names := []string{"", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}
		for _, service := range served[socket] {
			names = append(names, service, service[:strings.LastIndex(service, ".")])
		}
		for _, name := range names {
			answer, err := client.Check(ctx, &health.HealthCheckRequest{Service: name}, ready)
			if err != nil || answer.GetStatus() != health.HealthCheckResponse_SERVING {
				return fmt.Errorf("%s is asked for %q: %v, %v", socket, name, answer.GetStatus(), err)
			}
			if err := watchOnce(ctx, client, name, health.HealthCheckResponse_SERVING); err != nil {
				return fmt.Errorf("%s is watched for %q: %v", socket, name, err)
			}
		}
		_, err := client.Check(ctx, &health.HealthCheckRequest{Service: "samtal.no.v1.NoService"}, ready)
		if err := expectStatus(err, codes.NotFound, "the check of an unknown service"); err != nil {
			return err
		}
		unknown := health.HealthCheckResponse_SERVICE_UNKNOWN
		if err := watchOnce(ctx, client, "samtal.no.v1.NoService", unknown); err != nil {
			return err
		}
	}
	return nil
}

func watchOnce(
	ctx context.Context, client health.HealthClient, name string, wanted health.HealthCheckResponse_ServingStatus,
) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	stream, err := client.Watch(ctx, &health.HealthCheckRequest{Service: name}, ready)
	if err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err == nil && answer.GetStatus() != wanted {
		err = fmt.Errorf("%v", answer.GetStatus())
	}
	return err
}

// checkReflection lists the services, as grpcurl does.
func (all channels) checkReflection(ctx context.Context) error {
	for socket, channel := range all {
		stream, err := reflection.NewServerReflectionClient(channel).ServerReflectionInfo(ctx, ready)
		if err != nil {
			return err
		}
		list := &reflection.ServerReflectionRequest_ListServices{}
		if err := stream.Send(&reflection.ServerReflectionRequest{MessageRequest: list}); err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		var names []string
		for _, service := range answer.GetListServicesResponse().GetService() {
			if strings.HasPrefix(service.GetName(), "samtal.") {
				names = append(names, service.GetName())
			}
		}
		sort.Strings(names)
		if strings.Join(names, " ") != strings.Join(served[socket], " ") {
			return fmt.Errorf("%s lists %v", socket, names)
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
	}
	return nil
}
