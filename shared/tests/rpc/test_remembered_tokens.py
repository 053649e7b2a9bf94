"""A server verifies a token's signature once. What may change later is checked on every call."""

import json
import os
import time
from pathlib import Path

import grpc
import pytest

from contracts.travel.bookings.v1 import bookings_pb2
from shared.auth import tokens
from shared.auth.revocations import revocations
from shared.auth.testing import mint_access_token
from shared.ids import uuid7
from shared.testing.patience import eventually
from shared.tests.rpc.conftest import Served
from shared.tests.rpc.test_server import metadata

BOOKINGS = bookings_pb2.BatchGetBookingsRequest(ids=["a"])


def refusal(served: Served, token: str) -> grpc.StatusCode | None:
    """Return how a call with `token` is refused, or None if it is served."""
    try:
        accept(served, token)
    except grpc.RpcError as error:
        return error.code()
    return None


def accept(served: Served, token: str) -> None:
    served.stub.BatchGetBookings(BOOKINGS, metadata=metadata(authorization=f"Bearer {token}"))


def test_the_next_call_of_an_ended_session_is_refused(served: Served) -> None:
    """Seen failing (it was served) without the look at revocations in verify_access_token."""
    session = uuid7()
    token = mint_access_token(session_id=session)
    accept(served, token)

    revocations.note(session, until=time.time() + 60)

    assert refusal(served, token) is grpc.StatusCode.UNAUTHENTICATED


def test_the_next_call_after_the_key_was_withdrawn_is_refused(served: Served) -> None:
    """Seen failing (it was served) without the comparison of the key in `holds`."""
    token = mint_access_token()
    accept(served, token)

    Path(os.environ["TRAVEL_JWKS_FILE"]).write_text(json.dumps({"keys": []}))
    assert tokens.key_set().refetch()

    assert refusal(served, token) in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE}


def test_a_call_with_a_token_that_has_expired_since_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (it was served) without the comparison of the time in `holds`."""
    monkeypatch.setenv("TOKEN_LEEWAY_SECONDS", "0")
    token = mint_access_token(exp=int(time.time()) + 3)
    accept(served, token)

    assert eventually(lambda: refusal(served, token)) is grpc.StatusCode.UNAUTHENTICATED
