"""Ended sessions are kept until their tokens have expired, in bounded memory. Connections end with their session."""

import threading
import time
from uuid import UUID

import structlog

from shared.auth import Traveller
from shared.auth.open_connections import OpenConnections
from shared.auth.revocations import Revocations, revocations
from shared.ids import uuid7


def test_a_session_is_kept_until_its_tokens_have_expired():
    now = [1_000.0]
    known = Revocations(clock=lambda: now[0])
    early, late = uuid7(), uuid7()
    known.note(early, until=1_330.0)
    known.note(early, until=1_100.0)
    now[0] = 1_200.0
    known.note(late, until=1_530.0)
    assert known.has_ended(early)

    now[0] = 1_331.0
    known.note(uuid7(), until=1_300.0)  # it has expired already
    assert len(known) == 2
    known.note(uuid7(), until=1_600.0)

    assert not known.has_ended(early)
    assert known.has_ended(late)
    assert len(known) == 2


def test_memory_is_bounded_and_the_oldest_is_forgotten_with_an_error():
    """Seen failing (all are kept) without the limit in Revocations._forget, and (1,500 errors) with one for each."""
    known, sessions = Revocations(limit=3), [uuid7() for _ in range(1_503)]
    with structlog.testing.capture_logs() as logs:
        for session in sessions:
            known.note(session, until=time.time() + 300)

    assert [known.has_ended(session) for session in sessions] == [False] * 1_500 + [True] * 3
    assert [log["log_level"] for log in logs] == ["error"] * 2


def traveller(session_id: UUID) -> Traveller:
    return Traveller(uuid7(), session_id)


def test_only_the_connections_of_the_session_end():
    connections, mine, other = OpenConnections(), uuid7(), uuid7()
    ended: list[str] = []
    with (
        connections.open(traveller(mine), end=lambda: ended.append("first")),
        connections.open(traveller(mine), end=lambda: ended.append("second")),
        connections.open(traveller(other), end=lambda: ended.append("other")),
    ):
        connections.end_session(mine)
        assert sorted(ended) == ["first", "second"]
    connections.end_session(mine)
    connections.end_session(other)

    assert len(ended) == 2
    assert connections._of_session == {}


def test_a_session_that_ended_between_the_check_and_the_opening_ends_the_connection():
    """Seen failing (it stays open) without the look-up in OpenConnections.open."""
    session, ended = uuid7(), threading.Event()
    revocations.note(session, until=time.time() + 300)

    with OpenConnections().open(traveller(session), end=ended.set):
        assert ended.is_set()
