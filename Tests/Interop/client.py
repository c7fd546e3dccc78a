"""A Python gRPC client, generated from the public protos by grpcio-tools, against running services.

Usage: client.py PROTOS STUBS DATA, where STUBS is an empty folder for the generated code and DATA holds run/*.sock.
"""

import io
import json
import pathlib
import sys
import threading
import time
import unittest
import zipfile

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc

protos, stubs, data = (pathlib.Path(argument) for argument in sys.argv[1:4])
sources = [str(path.relative_to(protos)) for path in sorted((protos / "samtal").rglob("*.proto"))]
includes = [f"-I{protos}", f"-I{pathlib.Path(protoc.__file__).parent / '_proto'}"]
if protoc.main(["protoc", *includes, f"--python_out={stubs}", f"--grpc_python_out={stubs}", *sources]) != 0:
    sys.exit("grpcio-tools can't compile the protos")
sys.path.insert(0, str(stubs))

from samtal.chat.v1 import chat_pb2, chat_pb2_grpc  # noqa: E402
from samtal.identity.v1 import identity_pb2, identity_pb2_grpc  # noqa: E402
from samtal.retention.v1 import retention_pb2, retention_pb2_grpc  # noqa: E402


def channel(service):
    return grpc.insecure_channel(f"unix:{data.resolve()}/run/{service}.sock")


class Services:
    def __init__(self, gateway=False):
        name = (lambda service: "gateway") if gateway else (lambda service: service)
        self.identity = identity_pb2_grpc.IdentityServiceStub(channel(name("identity")))
        self.chat = chat_pb2_grpc.ChatServiceStub(channel(name("chat")))
        self.retention = retention_pb2_grpc.RetentionServiceStub(channel(name("retention")))


services = Services()


def sign_in(email):
    organisation = services.identity.CreateOrganisation(
        identity_pb2.CreateOrganisationRequest(display_name="Exempelbanken"), timeout=10)
    services.identity.AddAdministrator(
        identity_pb2.AddAdministratorRequest(
            organisation_id=organisation.organisation_id, email=email, display_name="Bo Exempel"), timeout=10)
    services.retention.RecordAgreement(
        retention_pb2.RecordAgreementRequest(
            organisation_id=organisation.organisation_id, kind=retention_pb2.CUSTOM, reference="DPA-7",
            signed_date="2026-02-01", cap_days=14), timeout=10)
    code = services.identity.CreateSignInCode(identity_pb2.CreateSignInCodeRequest(email=email), timeout=10)
    tokens = services.identity.SignIn(identity_pb2.SignInRequest(code=code.code), timeout=10)
    return organisation.organisation_id, (("authorization", f"Bearer {tokens.access_token}"),)


class GRPCClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.organisation, cls.administrator = sign_in("bo@example.org")

    def open_session(self):
        session = services.chat.CreateSession(
            chat_pb2.CreateSessionRequest(title="Fråga banken"), metadata=self.administrator, timeout=10)
        services.chat.OpenSession(
            chat_pb2.OpenSessionRequest(session_id=session.session_id), metadata=self.administrator, timeout=10)
        return session.session_id

    def ask(self, session_id, text, request_id):
        joined = services.chat.JoinSession(
            chat_pb2.JoinSessionRequest(session_id=session_id, display_name="Åsa"), timeout=10)
        return services.chat.AskQuestion(
            chat_pb2.AskQuestionRequest(session_id=session_id, text=text, request_id=request_id),
            metadata=(("samtal-participant", joined.participant_token),), timeout=10)

    def test_unary_calls_on_every_service(self):
        keys = services.identity.ListSigningKeys(identity_pb2.ListSigningKeysRequest(), timeout=10)
        self.assertEqual([len(key.public_key) for key in keys.keys], [32])
        policy = services.retention.SetPolicy(
            retention_pb2.SetPolicyRequest(organisation_id=self.organisation, retention_days=3),
            metadata=self.administrator, timeout=10)
        self.assertEqual(policy.retention_days, 3)
        with self.assertRaises(grpc.RpcError) as caught:
            services.retention.SetPolicy(
                retention_pb2.SetPolicyRequest(organisation_id=self.organisation, retention_days=2), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        session_id = self.open_session()
        question = self.ask(session_id, "Är räntan ändrad? 🦐", "request-1")
        answered = services.chat.AnswerQuestion(
            chat_pb2.AnswerQuestionRequest(
                session_id=session_id, question_id=question.question_id, text="Nej.", host_name="Karin",
                request_id="request-2"), metadata=self.administrator, timeout=10)
        self.assertEqual((answered.text, answered.author_name), ("Är räntan ändrad? 🦐", "Åsa"))
        listed = services.chat.ListQuestions(chat_pb2.ListQuestionsRequest(session_id=session_id), timeout=10)
        self.assertEqual([q.question_id for q in listed.questions], [question.question_id])
        self.assertEqual(listed.questions[0].state, chat_pb2.PUBLISHED)

    def test_unary_through_the_gateway(self):
        through = Services(gateway=True)
        session_id = self.open_session()
        session = through.chat.GetSession(chat_pb2.GetSessionRequest(session_id=session_id), timeout=10)
        self.assertEqual(session.title, "Fråga banken")
        agreement = through.retention.GetAgreement(
            retention_pb2.GetAgreementRequest(organisation_id=self.organisation),
            metadata=self.administrator, timeout=10)
        self.assertEqual(agreement.reference, "DPA-7")
        with self.assertRaises(grpc.RpcError) as caught:
            through.chat.EndSession(chat_pb2.EndSessionRequest(session_id=session_id), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_server_streaming_live_and_resumed(self):
        session_id = self.open_session()
        first = self.ask(session_id, "Före", "request-1")
        services.chat.PublishQuestion(
            chat_pb2.PublishQuestionRequest(session_id=session_id, question_id=first.question_id),
            metadata=self.administrator, timeout=10)
        watch = services.chat.WatchSession(chat_pb2.WatchSessionRequest(session_id=session_id), timeout=30)
        seen = []
        for event in watch:
            seen.append(event)
            if event.WhichOneof("change") == "caught_up":
                second = self.ask(session_id, "Efter", "request-2")
                services.chat.PublishQuestion(
                    chat_pb2.PublishQuestionRequest(session_id=session_id, question_id=second.question_id),
                    metadata=self.administrator, timeout=10)
            if event.question.text == "Efter":
                watch.cancel()
                break
        texts = [event.question.text for event in seen if event.WhichOneof("change") == "question"]
        self.assertEqual(texts, ["Före", "Efter"])
        resumed = services.chat.WatchSession(
            chat_pb2.WatchSessionRequest(
                session_id=session_id, position=next(e.position for e in seen if e.question.text == "Före")),
            timeout=30)
        texts = []
        for event in resumed:
            if event.WhichOneof("change") == "caught_up":
                resumed.cancel()
                break
            texts.append(event.question.text)
        self.assertNotIn("Före", texts)
        self.assertIn("Efter", texts)

    def test_export_erase_and_certificate(self):
        session_id = self.open_session()
        self.ask(session_id, "=SUMMA(A1)", "request-1")
        services.chat.EndSession(
            chat_pb2.EndSessionRequest(session_id=session_id), metadata=self.administrator, timeout=10)
        chunks = services.retention.ExportSession(
            retention_pb2.ExportSessionRequest(session_id=session_id), metadata=self.administrator, timeout=30)
        archive = zipfile.ZipFile(io.BytesIO(b"".join(chunk.data for chunk in chunks)))
        self.assertIsNone(archive.testzip())
        self.assertEqual(len(json.loads(archive.read("session.json"))["questions"]), 1)
        self.assertNotIn(b"\n=SUMMA", archive.read("questions.csv"))
        deadline = time.monotonic() + 30
        while True:
            try:
                certificate = services.retention.EraseSession(
                    retention_pb2.EraseSessionRequest(session_id=session_id, confirm_session_id=session_id),
                    metadata=self.administrator, timeout=30)
                break
            except grpc.RpcError as error:  # retention may not have heard of the end yet
                if error.code() != grpc.StatusCode.FAILED_PRECONDITION or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.assertEqual(json.loads(certificate.statement)["counts"]["questions"], 1)
        self.assertEqual(len(certificate.signature), 64)

    def test_errors_have_a_status_and_a_message(self):
        cases = [
            (lambda: services.chat.GetSession(chat_pb2.GetSessionRequest(session_id="a-unknown"), timeout=10),
             grpc.StatusCode.NOT_FOUND, "session"),
            (lambda: services.identity.CreateOrganisation(
                identity_pb2.CreateOrganisationRequest(display_name=""), timeout=10),
             grpc.StatusCode.INVALID_ARGUMENT, "display_name"),
            (lambda: services.chat.CreateSession(chat_pb2.CreateSessionRequest(title="x"), timeout=10),
             grpc.StatusCode.UNAUTHENTICATED, ""),
            (lambda: services.retention.SetPolicy(
                retention_pb2.SetPolicyRequest(organisation_id=self.organisation, retention_days=15),
                metadata=self.administrator, timeout=10),
             grpc.StatusCode.INVALID_ARGUMENT, "retention_days"),
            (lambda: channel("chat").unary_unary("/samtal.chat.v1.ChatService/NoSuchMethod")(b"", timeout=10),
             grpc.StatusCode.UNIMPLEMENTED, ""),
            (lambda: services.identity.CreateOrganisation(
                identity_pb2.CreateOrganisationRequest(display_name="x" * 100_000), timeout=10),
             grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
        ]
        for call, code, word in cases:
            with self.subTest(code=code), self.assertRaises(grpc.RpcError) as caught:
                call()
            self.assertEqual(caught.exception.code(), code, caught.exception.details())
            self.assertIn(word, caught.exception.details())
            self.assertTrue(caught.exception.details())

    def test_deadline_exceeded(self):
        session_id = self.open_session()
        began = time.monotonic()
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in services.chat.WatchSession(chat_pb2.WatchSessionRequest(session_id=session_id), timeout=0.4):
                pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertLess(time.monotonic() - began, 5)

    def test_cancellation(self):
        session_id = self.open_session()
        watch = services.chat.WatchSession(chat_pb2.WatchSessionRequest(session_id=session_id), timeout=30)
        threading.Timer(0.2, watch.cancel).start()
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in watch:
                pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.CANCELLED)
        # The service goes on.
        self.assertEqual(self.ask(session_id, "Efter avbrottet", "request-1").text, "Efter avbrottet")

    def test_many_calls_at_once_on_one_channel(self):
        session_id = self.open_session()
        joined = services.chat.JoinSession(chat_pb2.JoinSessionRequest(session_id=session_id), timeout=10)
        calls = [
            services.chat.AskQuestion.future(
                chat_pb2.AskQuestionRequest(session_id=session_id, text=f"Fråga {n}", request_id=f"request-{n}"),
                metadata=(("samtal-participant", joined.participant_token),), timeout=30)
            for n in range(300)
        ]
        self.assertEqual(len({call.result().question_id for call in calls}), 300)

    def test_health_on_every_socket(self):
        for service in ("identity", "chat", "retention", "gateway"):
            answer = channel(service).unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)
            self.assertEqual(answer, b"\x08\x01")  # status = SERVING

    def test_health_by_full_names(self):
        served = {"identity": ["identity"], "chat": ["chat"], "retention": ["retention"]}
        served["gateway"] = list(served)
        for socket, services in served.items():
            check = channel(socket).unary_unary("/grpc.health.v1.Health/Check")
            names = [f"samtal.{name}.v1.{name.capitalize()}Service" for name in services + ["deployment"]]
            for name in names + ["grpc.health.v1.Health"]:
                with self.subTest(socket=socket, name=name):
                    request = b"\x0a" + bytes([len(name)]) + name.encode()  # service = 1
                    self.assertEqual(check(request, timeout=10), b"\x08\x01")
            with self.assertRaises(grpc.RpcError) as caught:
                check(b"\x0a\x03a.B", timeout=10)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_reflection_lists_what_each_socket_serves(self):
        own = {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "samtal.deployment.v1.DeploymentService"}
        served = {
            "identity": {"samtal.identity.v1.IdentityService"}, "chat": {"samtal.chat.v1.ChatService"},
            "retention": {"samtal.retention.v1.RetentionService"},
        }
        served["gateway"] = set().union(*served.values())
        for service in ("identity", "chat", "retention"):
            served[service] |= {"samtal.clock.v1.ClockService", "samtal.backup.v1.BackupService"}
        for service, names in served.items():
            with self.subTest(service=service), channel(service) as connection:
                listed = list(ProtoReflectionDescriptorDatabase(connection).get_services())
                self.assertEqual(sorted(listed), sorted(names | own))

    def test_reflection_tells_all_that_a_client_needs(self):
        with channel("chat") as connection:
            database = ProtoReflectionDescriptorDatabase(connection)
            pool = descriptor_pool.DescriptorPool(database)  # of its own: it knows nothing of the stubs
            described = pool.FindServiceByName("samtal.chat.v1.ChatService")
            known = chat_pb2.DESCRIPTOR.services_by_name["ChatService"]
            shape = lambda method: (method.name, method.input_type.full_name, method.output_type.full_name,
                                    method.client_streaming, method.server_streaming)
            self.assertEqual(list(map(shape, described.methods)), list(map(shape, known.methods)))
            for name, message in chat_pb2.DESCRIPTOR.message_types_by_name.items():
                fields = [(field.name, field.number, field.type) for field in message.fields]
                found = pool.FindMessageTypeByName(f"samtal.chat.v1.{name}")
                self.assertEqual([(field.name, field.number, field.type) for field in found.fields], fields)
            # The options are there too: 50801 is samtal.annotations.v1.method.
            self.assertIn(50801, database.FindAllExtensionNumbers("google.protobuf.MethodOptions"))
            rules = pool.FindExtensionByName("samtal.annotations.v1.method")
            self.assertEqual(rules.number, 50801)
            # A call with nothing but what was told.
            method = described.methods_by_name["GetSession"]
            request = message_factory.GetMessageClass(method.input_type)(session_id=self.open_session())
            answer = connection.unary_unary(f"/{described.full_name}/GetSession")(
                request.SerializeToString(), timeout=10)
            session = message_factory.GetMessageClass(method.output_type).FromString(answer)
            self.assertEqual(session.title, "Fråga banken")
            with self.assertRaises(KeyError):
                database.FindFileContainingSymbol("samtal.chat.v1.NoSuchService")
            with self.assertRaises(KeyError):
                database.FindFileByName("no/such.proto")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
