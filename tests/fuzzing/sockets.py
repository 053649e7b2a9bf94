"""Generated conversations over graphql-transport-ws."""

import json
from collections.abc import Iterator
from random import Random

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway_service.tests.executor.documents import Values
from tests.fuzzing import hostile
from tests.fuzzing.answers import CODES
from tests.fuzzing.generated import payload_of
from tests.fuzzing.visitors import SECONDS
from tests.journeys.api import address

TYPES = ("subscribe", "subscribe", "subscribe", "complete", "ping", "pong", "next", "error", "connection_init", "", "x")
INTERNAL_ERROR = 1011


def frames_of(random: Random, values: Values, token: str | None) -> list[str | bytes]:
    """Return the frames of a conversation. Most begin with a valid connection_init."""
    first = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"} if token else {}}
    frames: list[str | bytes] = [json.dumps(first)] if random.random() < 0.8 else []
    for _ in range(random.randint(1, 4)):
        payload = payload_of(random, values)
        message = {
            "id": random.choice(["1", "2", "", hostile.LONG, 1]),
            "type": random.choice(TYPES),
            "payload": payload,
        }
        text = json.dumps(message)
        damaged = (
            text[: random.randrange(len(text))],
            hostile.body(random, message),
            hostile.body(random, message)[:900],
        )
        frames.append(text if random.random() < 0.7 else random.choice(damaged))
    return frames


def faults(frames: list[str | bytes]) -> Iterator[str]:
    """Send the frames and yield what is wrong with the messages that come back, up to the answer to a last ping."""
    url = address("PUBLIC_URL").replace("http", "ws", 1) + "/graphql"
    with connect(url, subprotocols=["graphql-transport-ws"], open_timeout=SECONDS, close_timeout=SECONDS) as socket:
        try:
            for frame in (*frames, '{"type": "ping", "payload": {"last": 1}}'):
                socket.send(frame)
            while True:
                message = json.loads(socket.recv(timeout=SECONDS))
                yield from _faults_of(message)
                if message["type"] == "pong":
                    return
        except ConnectionClosed as closed:
            if closed.rcvd is None or closed.rcvd.code == INTERNAL_ERROR:
                yield f"closed with {closed.rcvd}"
        except TimeoutError:
            yield "no answer to a ping"


def _faults_of(message: dict) -> Iterator[str]:
    payload = message.get("payload")
    errors = (
        payload
        if message["type"] == "error"
        else (payload or {}).get("errors", ())
        if isinstance(payload, dict)
        else ()
    )
    for error in errors:
        if error.get("extensions", {}).get("code") not in CODES:
            yield f"{message['type']} with {error}"
