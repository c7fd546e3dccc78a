"""Hypothesis makes messages, and encodings of messages, of any descriptor."""

import math

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor as F
from hypothesis import strategies as st

import wire

# Every text there is, but what UTF-8 can't say; few NULs, for those are refused.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
BYTES = st.binary(max_size=12)


def _integers(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    edges = [n for n in (0, 1, -1, 127, 128, 16383, 1 << 31, (1 << 31) - 1, 1 << 32, low, high) if low <= n <= high]
    return st.sampled_from(edges) | st.integers(low, high)


SCALARS = {
    F.TYPE_DOUBLE: st.floats(),
    # Google's JSON reader for Python refuses the largest, also as its own writer writes it.
    F.TYPE_FLOAT: st.floats(width=32).filter(lambda value: math.isinf(value) or abs(value) < 3e38),
    F.TYPE_INT32: _integers(32, True), F.TYPE_SINT32: _integers(32, True), F.TYPE_SFIXED32: _integers(32, True),
    F.TYPE_INT64: _integers(64, True), F.TYPE_SINT64: _integers(64, True), F.TYPE_SFIXED64: _integers(64, True),
    F.TYPE_UINT32: _integers(32, False), F.TYPE_FIXED32: _integers(32, False),
    F.TYPE_UINT64: _integers(64, False), F.TYPE_FIXED64: _integers(64, False),
    F.TYPE_BOOL: st.booleans(), F.TYPE_STRING: TEXTS, F.TYPE_BYTES: BYTES,
}


def scalar(field):
    if field.type == F.TYPE_ENUM:
        known = st.sampled_from([value.number for value in field.enum_type.values])
        return known | _integers(32, True)
    return SCALARS[field.type]


@st.composite
def messages(draw, make):
    """A message with any of its fields set to anything."""
    message = make()
    fields = list(message.DESCRIPTOR.fields)
    chosen = draw(st.sets(st.sampled_from(fields))) if fields else ()
    for field in sorted(chosen, key=lambda field: field.number):
        if field.is_repeated:
            _fill_list(draw, field, getattr(message, field.name))
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(draw(messages(_nested(field))))
        else:
            setattr(message, field.name, draw(scalar(field)))
    return message


def _nested(field):
    return message_factory.GetMessageClass(field.message_type)


def _fill_list(draw, field, target):
    if field.message_type is not None:
        target.extend(draw(st.lists(messages(_nested(field)), max_size=3)))
    else:
        target.extend(draw(st.lists(scalar(field), max_size=5)))


# -- encodings

EXTRA = st.sampled_from([0, 0, 0, 0, 1, 2, 9])


def _value(draw, field):
    """One value of a field that isn't a message, as it is on the wire."""
    kind = wire.wire_type(field)
    if kind == wire.VARINT:
        if draw(st.integers(0, 7)) == 0:
            # Any number at all: it is cut to the field's size.
            return wire.varint(draw(_integers(64, False)), draw(EXTRA))
        value = draw(scalar(field))
        zigzag = field.type in (F.TYPE_SINT32, F.TYPE_SINT64)
        return wire.varint(wire.zigzag(value) if zigzag else int(value), draw(EXTRA))
    if kind == wire.LENGTH:
        value = draw(scalar(field))
        return wire.delimited(value.encode() if isinstance(value, str) else value, draw(EXTRA))
    return wire.fixed(field, draw(scalar(field)))


def _known(draw, field):
    """A field of the message, in one of the ways to write it."""
    extra = draw(EXTRA)
    if field.message_type is not None:
        data = draw(encodings(field.message_type))
        return wire.tag(field.number, wire.LENGTH, extra) + wire.delimited(data, draw(EXTRA))
    if wire.is_packable(field) and draw(st.booleans()):
        values = b"".join(_value(draw, field) for _ in range(draw(st.integers(0, 4))))
        return wire.tag(field.number, wire.LENGTH, extra) + wire.delimited(values)
    return wire.tag(field.number, wire.wire_type(field), extra) + _value(draw, field)


def _any(draw, number):
    """A field of any wire type."""
    kind = draw(st.sampled_from([wire.VARINT, wire.FIXED64, wire.LENGTH, wire.FIXED32, wire.GROUP, wire.END_GROUP]))
    body = {
        wire.VARINT: lambda: wire.varint(draw(_integers(64, False)), draw(EXTRA)),
        wire.FIXED64: lambda: draw(st.binary(min_size=8, max_size=8)),
        wire.LENGTH: lambda: wire.delimited(draw(BYTES)),
        wire.FIXED32: lambda: draw(st.binary(min_size=4, max_size=4)),
        wire.GROUP: lambda: wire.varint(number << 3 | wire.END_GROUP),
        wire.END_GROUP: lambda: b"",
    }[kind]()
    return wire.tag(number, kind) + body


@st.composite
def encodings(draw, descriptor, is_strange=True):
    """Fields in any order and number, packed or not, with numbers longer than need be, and some that are unknown.

    With `is_strange` there is now and then one of another type than it should be.
    """
    fields = list(descriptor.fields)
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        what = draw(st.integers(0, 19))
        if what == 0 and is_strange and fields:
            parts.append(_any(draw, draw(st.sampled_from(fields)).number))
        elif what <= 2 or not fields:
            unknown = draw(st.sampled_from([30, 100, 1000, 19999, (1 << 29) - 2]))
            parts.append(_any(draw, unknown) if is_strange and what == 1 else wire.tag(unknown, 0) + wire.varint(7))
        else:
            parts.append(_known(draw, draw(st.sampled_from(fields))))
    return b"".join(parts)


@st.composite
def damaged(draw, data):
    """Bytes with a few changes."""
    data = bytearray(draw(data))
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, max(len(data) - 1, 0)))
        what = draw(st.integers(0, 3))
        if what == 0:
            del data[position:]
        elif what == 1:
            data.insert(position, draw(st.integers(0, 255)))
        elif what == 2 and data:
            del data[position]
        elif data:
            data[position] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    return bytes(data)
