"""Clients of the platform's public interfaces. Journeys use nothing else of the platform."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect


def address(name: str) -> str:
    """Return an address or secret from the environment. Raises AssertionError, naming the variable, if it is not set."""
    value = os.environ.get(name)
    assert value, f"{name} is not set: journeys need a running platform (./manage_all.py test starts one)"
    return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer: its data and its top-level errors."""

    status: int
    data: Mapping[str, Any] | None
    errors: list[dict[str, Any]]

    @property
    def codes(self) -> list[str]:
        """The codes of the top-level errors."""
        return [error.get("extensions", {}).get("code") for error in self.errors]

    def field(self, name: str) -> Any:
        """Return one field of an answer without errors."""
        assert not self.errors, self.errors
        assert self.data is not None
        return self.data[name]

    def refusals(self, name: str) -> list[str]:
        """Return the codes of a mutation's own errors."""
        return [error["code"] for error in self.field(name)["errors"]]


@dataclass
class Client:
    """One visitor: a connection to the gateway, and an access token after signing in."""

    token: str | None = None
    http: httpx.Client = field(default_factory=lambda: httpx.Client(base_url=address("PUBLIC_URL"), timeout=20))

    def headers(self) -> dict[str, str]:
        """Return the headers that identify the visitor."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def graphql(self, query: str, **variables: Any) -> Answer:
        """Send one document and return its answer, including errors.

        Raises AssertionError if the HTTP status is 500 or more.
        """
        response = self.http.post("/graphql", json={"query": query, "variables": variables}, headers=self.headers())
        assert response.status_code < 500, response.text[:500]
        body = response.json()
        return Answer(status=response.status_code, data=body.get("data"), errors=body.get("errors") or [])

    def rest(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one REST request as this visitor."""
        return self.http.request(method, path, headers={**self.headers(), **options.pop("headers", {})}, **options)

    @contextmanager
    def subscription(self, query: str, **variables: Any) -> Iterator["Subscription"]:
        """Open a graphql-transport-ws subscription until the block ends."""
        url = address("PUBLIC_URL").replace("http", "ws", 1) + "/graphql"
        with connect(url, subprotocols=["graphql-transport-ws"], open_timeout=10, close_timeout=2) as socket:
            socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}))
            subscription = Subscription(socket)
            assert subscription.message()["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            yield subscription


@dataclass
class Subscription:
    """An open subscription."""

    socket: ClientConnection

    def message(self, timeout: float = 20) -> dict[str, Any]:
        """Return the next message that is not a ping or pong."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=timeout))
            if message["type"] == "ping":
                self.socket.send(json.dumps({"type": "pong"}))
            elif message["type"] != "pong":
                return message

    def next(self, timeout: float = 20) -> Any:
        """Return the data of the next event."""
        message = self.message(timeout)
        assert message["type"] == "next", message
        assert not message["payload"].get("errors"), message
        return message["payload"]["data"]


def new_key() -> str:
    """Return an idempotency key."""
    return uuid.uuid4().hex
