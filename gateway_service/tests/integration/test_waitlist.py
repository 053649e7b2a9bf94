"""The waiting list over GraphQL. A traveller sees only their own entries."""

from typing import Any
from uuid import UUID

import pytest
from grpc import StatusCode

from gateway_service.gateway.ids import to_global_id
from gateway_service.tests.backends import Backends
from shared import errors
from shared.auth import testing as keys
from shared.ids import uuid7

JOIN = """mutation($d: ID!, $s: Int!) { joinWaitlist(departure: $d, seats: $s) {
  entry { id seats status position offeredUntil departure { id } } errors { code field } } }"""
LEAVE = "mutation($i: ID!) { leaveWaitlist(id: $i) { ok errors { code field } } }"
QUOTE = """mutation($d: ID!, $w: ID) { createQuote(departure: $d, adults: 1, waitlistEntry: $w) {
  quote { id } errors { code field } } }"""
NODE = "query($i: ID!) { node(id: $i) { __typename ... on WaitlistEntry { seats } } me { waitlist { id status } } }"


@pytest.fixture
def departure(backends: Backends) -> str:
    return to_global_id("Departure", backends.world.add_trip(1).id)


async def test_joining_shows_the_position_on_the_waiting_list(
    ask: Any, backends: Backends, token: str, traveller_id: UUID, departure: str
) -> None:
    answer = await ask(JOIN, token=token, d=departure, s=3)

    entry = answer["data"]["joinWaitlist"]["entry"]
    assert {name: entry[name] for name in ("seats", "status", "position", "offeredUntil", "departure")} == {
        "seats": 3, "status": "WAITING", "position": 1, "offeredUntil": None, "departure": {"id": departure},
    }  # fmt: skip
    own = await ask(NODE, token=token, i=entry["id"])
    assert own["data"] == {
        "node": {"__typename": "WaitlistEntry", "seats": 3},
        "me": {"waitlist": [{"id": entry["id"], "status": "WAITING"}]},
    }
    foreign = await ask(NODE, token=keys.mint_access_token(uuid7()), i=entry["id"])
    assert foreign["data"] == {"node": None, "me": {"waitlist": []}}
    backends.world.waitlist[str(traveller_id)].position = 0
    again = await ask("{ me { waitlist { position } } }", token=token)
    assert again["data"]["me"]["waitlist"] == [{"position": None}]


async def test_a_quote_accepts_an_offer(ask: Any, backends: Backends, token: str, departure: str) -> None:
    entry = str(uuid7())

    await ask(QUOTE, token=token, d=departure, w=to_global_id("WaitlistEntry", entry))

    assert [r.waitlist_entry_id for name, r, _ in backends.world.requests if name == "CreateQuote"] == [entry]


@pytest.mark.parametrize("code", ["NOT_FOUND", "INVALID_PASSENGERS", "SEATS_AVAILABLE", "DEPARTURE_CLOSED"])
async def test_a_refusal_of_joining_is_in_the_payload(
    ask: Any, backends: Backends, token: str, departure: str, code: str
) -> None:
    backends.world.refusals["JoinWaitlist"] = errors.RemoteRefusal.rebuild(
        code=code, status=StatusCode.FAILED_PRECONDITION, message="No.", field=None, params={}
    )

    answer = await ask(JOIN, token=token, d=departure, s=0)

    assert answer["data"]["joinWaitlist"] == {"entry": None, "errors": [{"code": code, "field": None}]}


async def test_leaving_the_waiting_list(ask: Any, token: str) -> None:
    answer = await ask(LEAVE, token=token, i=to_global_id("WaitlistEntry", str(uuid7())))

    assert answer["data"]["leaveWaitlist"] == {"ok": True, "errors": []}


async def test_an_id_of_another_type_is_not_found(ask: Any, backends: Backends, token: str) -> None:
    answer = await ask(LEAVE, token=token, i=to_global_id("Booking", str(uuid7())))

    assert answer["data"]["leaveWaitlist"]["errors"] == [{"code": "NOT_FOUND", "field": "id"}]
    assert backends.calls["LeaveWaitlist"] == 0


async def test_the_waiting_list_requires_sign_in(ask: Any, departure: str) -> None:
    for answer in (
        await ask(JOIN, d=departure, s=1),
        await ask(LEAVE, i=to_global_id("WaitlistEntry", str(uuid7()))),
    ):
        assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
