"""Produce records that no client library agrees to send, such as one with a header name that is not UTF-8.

Speaks Kafka's Produce request (version 3) with record batches of format 2 over a plain socket. Only for tests, and only
for a broker without TLS that leads the partition itself.
"""

import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from shared.events import topic_name
from shared.settings.env import env

_PRODUCE: Final = 0
_VERSION: Final = 3
_TIMEOUT_SECONDS: Final = 15


def put_raw(
    topic: str,
    *,
    key: bytes,
    value: bytes,
    headers: Sequence[tuple[bytes, bytes]] = (),
    partition: int = 0,
) -> None:
    """Put a record on one `partition` of `topic` (its name without prefix) and return once the broker has it.

    Header names are bytes: any bytes are sent as they are. Raises RuntimeError if the broker refuses the record.
    """
    name = topic_name(topic).encode()
    batch = _batch(_record(key, value, headers))
    body = b"".join(
        (
            struct.pack(">hhih", _PRODUCE, _VERSION, 1, -1),  # the request's header: correlation 1, no client id
            struct.pack(">hhi", -1, 1, 1000 * _TIMEOUT_SECONDS),  # no transaction; the leader acknowledges
            struct.pack(">ih", 1, len(name)) + name,
            struct.pack(">iii", 1, partition, len(batch)) + batch,
        )
    )
    host, _, port = env.str("KAFKA_BOOTSTRAP_SERVERS").split(",")[0].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT_SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", _receive(connection, 4))
        answer = _receive(connection, size)
    # Correlation, number of topics, topic name, number of partitions, partition; then the error code.
    (code,) = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(name) + 4 + 4)
    if code:
        raise RuntimeError(f"{topic}: the broker refused the record with error code {code}")


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        if not (chunk := connection.recv(size - len(received))):
            raise RuntimeError("the broker closed the connection before it answered")
        received += chunk
    return received


def _record(key: bytes, value: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    fields = [b"\x00", _varint(0), _varint(0), _sized(key), _sized(value), _varint(len(headers))]
    for name, content in headers:
        fields += [_sized(name), _sized(content)]
    return _sized(b"".join(fields))


def _batch(record: bytes) -> bytes:
    now = int(time.time() * 1000)
    checked = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    rest = struct.pack(">ibI", -1, 2, _crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(rest)) + rest


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Return a non-negative number as Kafka's zigzag varint."""
    rest, encoded = number << 1, bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def _crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
