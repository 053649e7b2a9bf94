"""What the operations of a traveller and of a network may cost in a minute, over HTTP, sockets and several processes."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from django.test import override_settings

from gateway_service.gateway.operation import cost_limit as module
from gateway_service.gateway.operation.cost_limit import CostLimit
from gateway_service.tests.live_client import bearer, connected
from shared.auth import testing as keys
from shared.errors import RateLimited
from shared.ids import uuid7

pytestmark = pytest.mark.usefixtures("valkey")

QUERY = "{ trips(first: 10) { edges { node { id } } } }"  # costs 11


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_900_000_020.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the limit, which shares its counts at once."""
    clock = Clock()
    monkeypatch.setattr(module, "EXCHANGE_SECONDS", 0.0)
    monkeypatch.setattr(module.cost_limit, "clock", clock)
    monkeypatch.setattr(module.cost_limit, "_minute", 0)
    return clock


async def send(client: httpx.AsyncClient, token: str | None = None, query: str = QUERY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await client.post("/graphql", json={"query": query}, headers=headers)


@override_settings(GRAPHQL_COST_LIMIT_NETWORK=30)
async def test_a_network_is_refused_until_the_next_minute(client: httpx.AsyncClient, clock: Clock) -> None:
    """Seen failing (200) without Operation.charge in the HTTP path."""
    assert [(await send(client)).status_code for _ in range(2)] == [200, 200]

    refused = await send(client)

    assert refused.status_code == 429
    extensions = refused.json()["errors"][0]["extensions"]
    assert extensions["code"] == "RATE_LIMITED"
    assert 1 <= extensions["retryAfter"] <= 60
    clock.now += extensions["retryAfter"]
    assert (await send(client)).status_code == 200


@override_settings(GRAPHQL_COST_LIMIT_TRAVELLER=30)
async def test_a_traveller_is_limited_and_no_other(client: httpx.AsyncClient) -> None:
    greedy, other = keys.mint_access_token(uuid7()), keys.mint_access_token(uuid7())

    assert [(await send(client, greedy)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await send(client, other)).status_code == 200
    assert (await send(client)).status_code == 200


@override_settings(GRAPHQL_COST_LIMIT_NETWORK=2)
async def test_an_operation_that_reads_nothing_costs_one(client: httpx.AsyncClient) -> None:
    codes = [(await send(client, query="{ __typename }")).status_code for _ in range(3)]

    assert codes == [200, 200, 429]


@override_settings(GRAPHQL_COST_LIMIT_NETWORK=30)
async def test_sockets_are_limited_as_well(address: str, token: str) -> None:
    """Seen failing (three answers) without Operation.charge in the WebSocket path."""
    async with connected(address, bearer(token)) as client:
        kinds: list[Any] = []
        for name in "123":
            await client.subscribe(QUERY, name=name)
            kinds.append(message := await client.receive())
            if message["type"] == "next":
                assert (await client.receive())["type"] == "complete"

    assert [message["type"] for message in kinds] == ["next", "next", "error"]
    assert kinds[2]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@override_settings(GRAPHQL_COST_LIMIT_TRAVELLER=30)
async def test_processes_share_their_counts(traveller_id: UUID) -> None:
    """Seen failing (not refused) without the exchange."""
    one, other = CostLimit(), CostLimit()

    one.charge(25, traveller_id=traveller_id, ip_address="192.0.2.1")
    await one.exchange()
    other.charge(1, traveller_id=traveller_id, ip_address="192.0.2.2")
    await other.exchange()

    with pytest.raises(RateLimited):
        other.charge(5, traveller_id=traveller_id, ip_address="192.0.2.2")


@override_settings(GRAPHQL_COST_LIMIT_NETWORK=30, REDIS_URL="redis://127.0.0.1:1/0")
async def test_each_process_limits_by_itself_while_valkey_is_unavailable(client: httpx.AsyncClient) -> None:
    assert [(await send(client)).status_code for _ in range(3)] == [200, 200, 429]


@override_settings(GRAPHQL_COST_LIMIT_NETWORK=0, GRAPHQL_COST_LIMIT_TRAVELLER=0)
async def test_zero_is_no_limit(client: httpx.AsyncClient) -> None:
    assert {(await send(client)).status_code for _ in range(5)} == {200}
