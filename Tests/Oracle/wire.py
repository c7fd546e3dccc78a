"""Protobuf's wire format by hand: encodings that no encoder would write, and what is unusual about one."""

import struct

from google.protobuf.descriptor import FieldDescriptor as F

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)

WIRE_TYPES = {
    F.TYPE_DOUBLE: FIXED64, F.TYPE_FIXED64: FIXED64, F.TYPE_SFIXED64: FIXED64,
    F.TYPE_FLOAT: FIXED32, F.TYPE_FIXED32: FIXED32, F.TYPE_SFIXED32: FIXED32,
    F.TYPE_STRING: LENGTH, F.TYPE_BYTES: LENGTH, F.TYPE_MESSAGE: LENGTH,
}


def wire_type(field):
    return WIRE_TYPES.get(field.type, VARINT)


def is_packable(field):
    return field.is_repeated and wire_type(field) != LENGTH


def varint(value, extra=0):
    """With so many bytes more than it needs."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    extra = min(extra, 10 - len(out))
    if extra > 0:
        out[-1] |= 0x80
        out += b"\x80" * (extra - 1) + b"\x00"
    return bytes(out)


def tag(number, kind, extra=0):
    # Tags are of five bytes at most, in every implementation.
    plain = varint(number << 3 | kind)
    return varint(number << 3 | kind, min(extra, 5 - len(plain)))


def delimited(data, extra=0):
    plain = varint(len(data))
    return varint(len(data), min(extra, 5 - len(plain))) + data


def zigzag(value):
    return (value << 1) ^ (value >> 63)


def _varint_at(data, offset):
    value = shift = 0
    while True:
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, offset


class Unusual:
    """What there is in bytes that Google's implementation reads, and that ours may refuse."""

    def __init__(self, descriptor, data):
        self.groups = self.wrong_types = self.repeated_messages = 0
        self.fields = 0
        self._message(descriptor, memoryview(data))

    def _message(self, descriptor, data):
        seen = set()
        offset = 0
        while offset < len(data):
            key, offset = _varint_at(data, offset)
            number, kind = key >> 3, key & 7
            self.fields += 1
            field = descriptor.fields_by_number.get(number)
            start = offset
            if kind == VARINT:
                _, offset = _varint_at(data, offset)
            elif kind in (FIXED64, FIXED32):
                offset += 8 if kind == FIXED64 else 4
            elif kind == LENGTH:
                length, start = _varint_at(data, offset)
                offset = start + length
            elif kind in (GROUP, END_GROUP):
                # Not looked into: one is enough.
                self.groups += 1
                return
            if field is not None:
                self._field(field, kind, data[start:offset], seen)

    def _field(self, field, kind, value, seen):
        expected = wire_type(field)
        if kind != expected:
            if kind == LENGTH and is_packable(field):
                self.fields += self._packed(expected, value)
            else:
                self.wrong_types += 1
        elif field.message_type is not None:
            if not field.is_repeated:
                self.repeated_messages += field.number in seen
                seen.add(field.number)
            self._message(field.message_type, value)

    def _packed(self, kind, value):
        if kind == VARINT:
            return sum(byte < 0x80 for byte in value)
        return len(value) // (8 if kind == FIXED64 else 4)


def fixed(field, value):
    codes = {
        F.TYPE_DOUBLE: "<d", F.TYPE_FLOAT: "<f", F.TYPE_FIXED32: "<I", F.TYPE_SFIXED32: "<i", F.TYPE_FIXED64: "<Q",
        F.TYPE_SFIXED64: "<q",
    }
    return struct.pack(codes[field.type], value)
