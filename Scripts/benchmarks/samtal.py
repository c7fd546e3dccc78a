"""Samtal's processes on a folder of their own, an organisation in them, and its sessions."""

import time

import calls
from messages import field, message
from servers import Server

IDENTITY = "samtal.identity.v1.IdentityService"
CHAT = "samtal.chat.v1.ChatService"
RETENTION = "samtal.retention.v1.RetentionService"
STANDARD = 1  # the processor's own text of an agreement
RENEWED_AFTER = 300  # seconds; an access token is good for 600


class Samtal:
    def __init__(self, binaries, folder, log, chat_options=(), chat_environment=None):
        data = f"{folder}/data"

        def server(name, *options, environment=None):
            command = [binaries / f"samtal-{name}", "--data", data, "--region", "se", *options]
            return Server(f"samtal-{name}", list(map(str, command)), f"{data}/run/{name}.sock", log, environment)

        self.identity = server("identity")
        # The folder may lie on a medium that keeps old copies; how fast keys are destroyed is not how surely.
        self.retention = server("retention", "--allow-unsafe-key-medium")
        self.chat = server("chat", *chat_options, environment=chat_environment)
        self.servers = [self.identity, self.retention, self.chat]


class Organisation:
    """An organisation with an agreement and an administrator who is signed in."""

    def __init__(self, samtal, client, name):
        self.samtal, self.client = samtal, client
        identity, email = samtal.identity, f"{name}@example.se"
        self.id = field(client.answer(identity, f"{IDENTITY}/CreateOrganisation", message(name)), 1).decode()
        client.answer(identity, f"{IDENTITY}/AddAdministrator", message(self.id, email, "Anna Exempel"))
        client.answer(samtal.retention, f"{RETENTION}/RecordAgreement",
                      message(self.id, STANDARD, "DPA-1", "2026-01-15", 30))
        code = field(client.answer(identity, f"{IDENTITY}/CreateSignInCode", message(email, self.id)), 1)
        self.note(client.answer(identity, f"{IDENTITY}/SignIn", message(code)))

    def note(self, signed_in):
        self.access, self.refresh = field(signed_in, 1).decode(), field(signed_in, 3)
        self.renewed = time.monotonic()

    @property
    def token(self):
        if time.monotonic() - self.renewed > RENEWED_AFTER:
            self.note(self.client.answer(self.samtal.identity, f"{IDENTITY}/RefreshTokens", message(self.refresh)))
        return f"Bearer {self.access}"

    def administer(self, server, method, requests, in_flight=16):
        """Calls as the administrator, and returns what answered."""
        token = self.token
        return self.client.answers(server, method, [(token, request) for request in requests], calls.ADMINISTRATOR,
                                   in_flight)

    def sessions(self, count):
        """The ids of new sessions, open."""
        made = self.administer(self.samtal.chat, f"{CHAT}/CreateSession", [message("Fråga experten")] * count)
        ids = [field(session, 1).decode() for session in made]
        self.administer(self.samtal.chat, f"{CHAT}/OpenSession", [message(id) for id in ids])
        return ids

    def participants(self, session, count, name="Anna"):
        """The tokens of new participants of a session."""
        joined = self.client.answers(self.samtal.chat, f"{CHAT}/JoinSession", [("", message(session, name))] * count)
        return [field(answer, 2).decode() for answer in joined]
