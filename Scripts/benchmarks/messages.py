"""The few messages that the load is made of, in gRPC's framing."""

PREFIX = 5


def varint(number):
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def framed(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def request(size):
    """SimpleRequest{response_size, payload{body}}: a payload of that size, that asks for one as long."""
    if size == 0:
        return framed(b"")
    payload = b"\x12" + varint(size) + bytes(size)
    return framed(b"\x10" + varint(size) + b"\x1a" + varint(len(payload)) + payload)


def message(*values):
    """A message whose fields have these values, numbered from 1: texts, bytes of messages, numbers; None: left out."""
    encoded = bytearray()
    for number, value in enumerate(values, 1):
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            encoded += varint(number << 3 | 2) + varint(len(value)) + value
        elif value is not None:
            encoded += varint(number << 3) + varint(value)
    return bytes(encoded)


def field(message, wanted, otherwise=b""):
    """The first field of a number."""
    return next((value for number, value in fields(message) if number == wanted), otherwise)


def fields(message):
    """The fields of a message: number and value, an int or bytes."""
    offset = 0

    def number():
        nonlocal offset
        value = shift = 0
        while True:
            byte = message[offset]
            offset += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while offset < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            length = number()
            if offset + length > len(message):
                raise ValueError("cut short")
            yield key >> 3, message[offset : offset + length]
            offset += length
        else:
            raise ValueError(f"wire type {key & 7}")


def payload_size(response):
    """Bytes of SimpleResponse.payload.body; an error if there is anything else in the response."""
    size = 0
    for number, value in fields(response):
        if number != 1:
            raise ValueError(f"field {number}")
        size = sum(len(body) for number, body in fields(value) if number == 2)
    return size


def unframed(data):
    """The messages of a response body, of which the last may be cut short, in which case it is left out."""
    while len(data) >= PREFIX:
        if data[0] != 0:
            raise ValueError("compressed")
        end = PREFIX + int.from_bytes(data[1:PREFIX], "big")
        if len(data) < end:
            return
        yield data[PREFIX:end]
        data = data[end:]
