"""Our reading and writing of protobuf, held against Google's implementation (upb) on messages that hypothesis makes.

Started by OracleTests.swift, which answers for ours. SAMTAL_ORACLE_EXAMPLES says how many examples a property and type
get, a quarter of them where the type has few kinds of fields; always the same ones, so that a run can be repeated.
"""

import math
import os
import sys
import unittest

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contracts
import ours
import strategies
import wire

EXAMPLES = int(os.environ.get("SAMTAL_ORACLE_EXAMPLES", "60"))
OURS = ours.Ours()

TYPES = """
oracle.v1.Single oracle.v1.Repeated oracle.v1.Unpacked oracle.v1.Choice
samtal.chat.v1.Question samtal.chat.v1.SessionEvent samtal.chat.v1.ListQuestionsResponse
samtal.chat.v1.SessionLogEntry samtal.identity.v1.SignInResponse samtal.identity.v1.ListSigningKeysResponse
samtal.retention.v1.Certificate samtal.retention.v1.Policy samtal.retention.v1.ExportChunk
google.rpc.Status google.rpc.BadRequest google.rpc.ErrorInfo
grpc.health.v1.HealthCheckResponse grpc.testing.SimpleRequest grpc.testing.StreamingOutputCallRequest
""".split()

# Where ours reads less than Google's, by the words of its error: whether the bytes have what it means, and why.
NARROWER = {
    # One reader would see the text up to the NUL, another all of it.
    "must not contain a NUL character": lambda message, unusual, size: "\0" in all_texts(message),
    # Merging is where small inputs take quadratic time; no encoder writes a submessage twice.
    "occurs more than once": lambda message, unusual, size: unusual.repeated_messages > 0,
    # Groups are not part of proto3: no message of ours or of a newer version has one.
    "is not a protobuf encoding": lambda message, unusual, size: unusual.groups > 0,
    # Google's takes such a field for an unknown one; it is a mistake, or a way past what looks at the bytes before.
    "has the wrong wire type": lambda message, unusual, size: unusual.wrong_types > 0,
    # A message that is mostly tags is meant to take memory.
    "has too many fields": lambda message, unusual, size: unusual.fields > 1024 + size // 3,
}


def all_texts(message):
    """The texts of a message, one after the other."""
    found = []
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.message_type is not None:
            found += [all_texts(value) for value in values]
        elif field.cpp_type == field.CPPTYPE_STRING and field.type == field.TYPE_STRING:
            found += values
    return "".join(found)


def canonical(message):
    """Known fields alone, in the one order, with what may differ made the same."""
    message.DiscardUnknownFields()
    settle_numbers(message)
    return message.SerializeToString(deterministic=True)


def settle_numbers(message):
    """JSON has one NaN of many; and protobuf-c leaves out a field that is minus zero, as if it were zero."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                settle_numbers(inner)
        elif field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
            if field.is_repeated:
                value[:] = [math.nan if math.isnan(one) else one for one in value]
            elif math.isnan(value):
                setattr(message, field.name, math.nan)
            elif value == 0 and field.containing_oneof is None:
                message.ClearField(field.name)


class OracleTests(unittest.TestCase):
    def for_each_type(self, strategy, check):
        for name in TYPES:
            with self.subTest(name):
                made = contracts.message_class(name)

                # The types with every kind of field find most.
                examples = EXAMPLES if name.startswith("oracle.") else EXAMPLES // 4

                @settings(
                    max_examples=examples, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))
                @given(strategy(made))
                def run(example):
                    check(name, made, example)

                run()

    # -- what Google's writes

    def test_messages_are_read_and_written_as_they_are(self):
        def check(name, made, message):
            again = OURS.encode_again(name, message.SerializeToString())
            self.assertEqual(canonical(made.FromString(again)), canonical(message))

        self.for_each_type(strategies.messages, check)

    def test_a_nul_in_a_text_is_refused(self):
        message = contracts.message_class("oracle.v1.Single")(text="a\0b")
        with self.assertRaisesRegex(ours.Refused, "text: must not contain a NUL character"):
            OURS.encode_again("oracle.v1.Single", message.SerializeToString())

    # -- what nobody would write

    def compare(self, name, made, data):
        """Both read the same, or both refuse, or ours has its reason."""
        try:
            theirs = made.FromString(data)
        except DecodeError:
            theirs = None
        try:
            again = OURS.encode_again(name, data)
        except ours.Refused as refusal:
            if theirs is not None:
                reason = str(refusal).split(": ")[-1]
                self.assertIn(reason, NARROWER, f"{refusal} for {data.hex()}")
                unusual = wire.Unusual(made.DESCRIPTOR, data)
                self.assertTrue(
                    NARROWER[reason](theirs, unusual, len(data)), f"{refusal} for {data.hex()}")
            return
        self.assertIsNotNone(theirs, f"only ours reads {data.hex()}")
        self.assertEqual(canonical(made.FromString(again)), canonical(theirs), data.hex())

    def test_every_way_to_write_a_message_is_read(self):
        self.for_each_type(
            lambda made: strategies.encodings(made.DESCRIPTOR),
            self.compare)

    def test_damaged_bytes_are_read_the_same_or_refused(self):
        self.for_each_type(
            lambda made: strategies.damaged(
                strategies.encodings(made.DESCRIPTOR)
                | strategies.messages(made).map(lambda message: message.SerializeToString())),
            self.compare)

    def test_random_bytes_are_read_the_same_or_refused(self):
        self.for_each_type(lambda made: st.binary(max_size=24), self.compare)

    # -- JSON

    def test_our_json_is_read_by_google(self):
        def check(name, made, message):
            if not all_times_are_sayable(message):
                return
            text = OURS.to_json(name, message.SerializeToString())
            self.assertEqual(canonical(json_format.Parse(text, made())), canonical(message), text)

        self.for_each_type(without_any(strategies.messages), check)

    def test_googles_json_is_read_by_us(self):
        def check(name, made, message):
            if not all_times_are_sayable(message):
                return
            for options in (
                {},
                {"preserving_proto_field_name": True, "use_integers_for_enums": True},
                {"always_print_fields_with_no_presence": True, "indent": None},
            ):
                text = json_format.MessageToJson(message, **options)
                again = OURS.from_json(name, text.encode())
                self.assertEqual(canonical(made.FromString(again)), canonical(message), text)

        self.for_each_type(without_any(strategies.messages), check)


    def test_what_we_read_as_json_google_reads_too(self):
        def check(name, made, text):
            try:
                again = OURS.from_json(name, text)
            except ours.Refused:
                # A wider reader is not wrong: Google's for Python takes more than the format says.
                return
            theirs = json_format.Parse(text, made())
            self.assertEqual(canonical(made.FromString(again)), canonical(theirs), text)

        self.for_each_type(
            lambda made: strategies.damaged(
                without_any(strategies.messages)(made).filter(all_times_are_sayable).map(
                    lambda message: json_format.MessageToJson(message, indent=None).encode())),
            check)


def without_any(strategy):
    """google.protobuf.Any needs a registry of types in JSON; ours writes it as its two fields."""

    def make(made):
        messages = strategy(made)
        if made.DESCRIPTOR.full_name == "google.rpc.Status":
            messages = messages.map(lambda message: (message.ClearField("details"), message)[1])
        return messages

    return make


def all_times_are_sayable(message):
    """JSON has no words for times before the year 1 or after 9999, or parts that disagree: they are null in ours."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for value in value if field.is_repeated else [value]:
            if field.message_type.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
                try:
                    json_format.MessageToJson(value)
                except (json_format.SerializeToJsonError, ValueError):
                    return False
            elif not all_times_are_sayable(value):
                return False
    return True


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
