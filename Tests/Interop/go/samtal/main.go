// A grpc-go client, generated from the public protos, against running services: each called directly and through the
// gateway. Usage: samtal-client DATA [--authority NAME], where DATA holds run/*.sock.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"interop/chat"
	"interop/identity"
	"interop/retention"
	"interop/wire"
)

var (
	sockets = []string{"identity", "chat", "retention", "gateway"}
	ready   = grpc.WaitForReady(true)
)

// services are the three APIs, wherever they are reached.
type services struct {
	identity  identity.IdentityServiceClient
	chat      chat.ChatServiceClient
	retention retention.RetentionServiceClient
}

// channels are the connections to all sockets.
type channels map[string]*grpc.ClientConn

func (all channels) direct() services {
	return services{
		identity.NewIdentityServiceClient(all["identity"]), chat.NewChatServiceClient(all["chat"]),
		retention.NewRetentionServiceClient(all["retention"]),
	}
}

func (all channels) throughGateway() services {
	gateway := all["gateway"]
	return services{
		identity.NewIdentityServiceClient(gateway), chat.NewChatServiceClient(gateway),
		retention.NewRetentionServiceClient(gateway),
	}
}

func open(data string) (channels, error) {
	all := channels{}
	for _, name := range sockets {
		channel, err := wire.Dial("unix:" + filepath.Join(data, "run", name+".sock"))
		if err != nil {
			return nil, err
		}
		all[name] = channel
	}
	return all, nil
}

func (all channels) close() error {
	for _, channel := range all {
		if err := channel.Close(); err != nil {
			return err
		}
	}
	return nil
}

// expectStatus wants a call to have ended with that code.
func expectStatus(err error, code codes.Code, what string) error {
	if status.Code(err) != code {
		return fmt.Errorf("%s ended with %v instead of %v", what, err, code)
	}
	return nil
}

// steps are taken in order, until one goes wrong.
type steps []func() error

func (all steps) run() error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// signIn makes an organisation with an agreement, and signs its administrator in; the context that is returned carries
// the token. Only whoever runs the services may, on their own sockets.
func signIn(ctx context.Context, at services, email string) (context.Context, string, error) {
	organisation, err := at.identity.CreateOrganisation(
		ctx, &identity.CreateOrganisationRequest{DisplayName: "Exempelbanken"}, ready)
	if err != nil {
		return nil, "", err
	}
	id := organisation.GetOrganisationId()
	administrator := &identity.AddAdministratorRequest{OrganisationId: id, Email: email, DisplayName: "Bo Exempel"}
	if _, err := at.identity.AddAdministrator(ctx, administrator, ready); err != nil {
		return nil, "", err
	}
	agreement := &retention.RecordAgreementRequest{
		OrganisationId: id, Kind: retention.AgreementKind_CUSTOM, Reference: "DPA-7", SignedDate: "2026-02-01", CapDays: 14,
	}
	if _, err := at.retention.RecordAgreement(ctx, agreement, ready); err != nil {
		return nil, "", err
	}
	code, err := at.identity.CreateSignInCode(ctx, &identity.CreateSignInCodeRequest{Email: email}, ready)
	if err != nil {
		return nil, "", err
	}
	tokens, err := at.identity.SignIn(ctx, &identity.SignInRequest{Code: code.GetCode()}, ready)
	if err != nil {
		return nil, "", err
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+tokens.GetAccessToken()), id, nil
}

// lifeOfASession creates, asks, publishes, follows, ends and exports.
func lifeOfASession(ctx, administrator context.Context, organisation string, at services) error {
	session, err := at.chat.CreateSession(administrator, &chat.CreateSessionRequest{Title: "Fråga banken"}, ready)
	if err != nil {
		return err
	}
	id := session.GetSessionId()
	if _, err := at.chat.OpenSession(administrator, &chat.OpenSessionRequest{SessionId: id}, ready); err != nil {
		return err
	}
	joined, err := at.chat.JoinSession(ctx, &chat.JoinSessionRequest{SessionId: id, DisplayName: "Åsa"}, ready)
	if err != nil {
		return err
	}
	participant := metadata.AppendToOutgoingContext(ctx, "samtal-participant", joined.GetParticipantToken())
	question, err := at.chat.AskQuestion(
		participant, &chat.AskQuestionRequest{SessionId: id, Text: "Är räntan ändrad? 🦐", RequestId: "request-1"}, ready)
	if err != nil {
		return err
	}
	publish := &chat.PublishQuestionRequest{SessionId: id, QuestionId: question.GetQuestionId()}
	return steps{
		func() error { _, err := at.chat.PublishQuestion(administrator, publish, ready); return err },
		func() error { return follow(ctx, at.chat, id, question.GetText()) },
		func() error {
			_, err := at.chat.EndSession(ctx, &chat.EndSessionRequest{SessionId: id}, ready)
			return expectStatus(err, codes.Unauthenticated, "ending without a token")
		},
		func() error {
			_, err := at.chat.EndSession(administrator, &chat.EndSessionRequest{SessionId: id}, ready)
			return err
		},
		func() error { return export(administrator, at.retention, id) },
		func() error {
			agreement, err := at.retention.GetAgreement(
				administrator, &retention.GetAgreementRequest{OrganisationId: organisation}, ready)
			if err == nil && agreement.GetReference() != "DPA-7" {
				err = fmt.Errorf("the agreement is %q", agreement.GetReference())
			}
			return err
		},
	}.run()
}

// follow reads the feed until the question has come, and leaves it.
func follow(ctx context.Context, service chat.ChatServiceClient, session, text string) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	stream, err := service.WatchSession(ctx, &chat.WatchSessionRequest{SessionId: session}, ready)
	if err != nil {
		return err
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return err
		}
		if event.GetQuestion().GetText() == text {
			break
		}
	}
	leave()
	for {
		if _, err := stream.Recv(); err != nil {
			return expectStatus(err, codes.Canceled, "the feed that was left")
		}
	}
}

// export reads a whole ZIP.
func export(ctx context.Context, service retention.RetentionServiceClient, session string) error {
	stream, err := service.ExportSession(ctx, &retention.ExportSessionRequest{SessionId: session}, ready)
	if err != nil {
		return err
	}
	var archive []byte
	for {
		chunk, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		archive = append(archive, chunk.GetData()...)
	}
	if !strings.HasPrefix(string(archive), "PK") {
		return fmt.Errorf("an export of %d bytes is no ZIP", len(archive))
	}
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintf(os.Stderr, "usage: %s DATA [--authority NAME]\n", os.Args[0])
		os.Exit(64)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	all, err := open(os.Args[1])
	if err != nil {
		fmt.Println("FAIL open:", err)
		os.Exit(1)
	}
	administrator, organisation, err := signIn(ctx, all.direct(), "bo@example.se")
	if err != nil {
		fmt.Println("FAIL sign in:", err)
		os.Exit(1)
	}
	failed := false
	report := func(name string, err error) {
		if err != nil {
			failed = true
			fmt.Printf("FAIL %s: %v\n", name, err)
			return
		}
		fmt.Println("PASS", name)
	}
	report("directly", lifeOfASession(ctx, administrator, organisation, all.direct()))
	report("through the gateway", lifeOfASession(ctx, administrator, organisation, all.throughGateway()))
	report("health", all.checkHealth(ctx))
	report("reflection", all.checkReflection(ctx))
	report("close", all.close())
	if failed {
		os.Exit(1)
	}
}
