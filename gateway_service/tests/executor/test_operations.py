"""What is worked out once for an operation: plans for each choice of conditions, costs, and numbers of RPCs."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from graphql import OperationDefinitionNode, execute, parse

from gateway_service.gateway.execution import operations
from gateway_service.gateway.execution.breadth_first.run import execute_plan
from gateway_service.gateway.execution.documents import prepare
from gateway_service.gateway.execution.errors import InvalidRequest
from gateway_service.gateway.execution.operations import ValidOperation
from gateway_service.gateway.ids import to_global_id
from gateway_service.gateway.operation.profile_languages import profile_languages
from gateway_service.gateway.schema import schema
from gateway_service.tests.executor.documents import POOL
from gateway_service.tests.executor.upstream import Upstream

DEEP = """query ($first: Int) { me { email profile { firstName } bookings(first: $first) { edges { node {
  title history { message } invoice { number } creditNotes { number } traveller { email }
  departure { seatsAvailable convertedAdultPrice(currency: "USD") { amount }
    trip { title departures { edges { node { id } } } destination { name parent { name parent { name } }
      ancestors { name photos { alt } } photos { url } averagePrices { converted(currency: "JPY") { amount } rateDate }
      children { edges { node { name trips { totalCount } } } } } } }
} } } waitlist { departure { trip { destination { name } } } } }
  one: trip(id: "ONE") { destination { name } } two: trip(id: "TWO") { destination { name } } }""".replace(
    "ONE", to_global_id("Trip", POOL[3])
).replace("TWO", to_global_id("Trip", POOL[4]))


def operation(text: str) -> ValidOperation:
    document = parse(text)
    (definition,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return ValidOperation(document, definition)


def test_a_plan_calls_the_services_no_more_often_than_graphql_core() -> None:
    """Seen failing (BatchGetTrips once more) if root fields of queries run in turn, as those of mutations do."""
    valid, core, plan = operation(DEEP), Upstream(5, 0), Upstream(5, 0)

    async def by_core() -> Any:
        return await execute(schema.graphql_schema, valid.document, context_value=core.operation(locale=None))  # type: ignore[misc]

    async def by_plan() -> Any:
        compiled = valid.plan({})
        assert compiled is not None
        return await execute_plan(compiled, variables={}, context=plan.operation(locale=None))

    profile_languages.clear()
    expected = asyncio.run(by_core())
    profile_languages.clear()
    result = asyncio.run(by_plan())

    assert result.data == expected.data
    assert set(plan.calls) == set(core.calls)
    assert Counter(plan.calls) <= Counter(core.calls)


def test_a_plan_is_made_once_for_each_choice_of_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (three plans) without the cache of plans."""
    made = []
    monkeypatch.setattr(operations, "Plan", lambda *arguments, **_: made.append(arguments[-1]) or _Kept())
    valid = operation("query ($a: Boolean!, $b: Int) { me { id @skip(if: $a) bookings(first: $b) { totalCount } } }")

    for variables in ({"a": True, "b": 1}, {"a": False, "b": 1}, {"a": True, "b": 2}):
        valid.plan(variables)

    assert made == [{"a": True}, {"a": False}]


class _Kept:
    size = 1


def test_a_plan_that_grew_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing if `operations._keep` keeps every plan."""
    monkeypatch.setattr(operations, "_MAX_PLAN_SIZE", 1)
    valid = operation("{ me { id email } trips { totalCount } }")

    assert valid.plan({}) is not valid.plan({})


def test_the_cost_follows_the_page_size() -> None:
    """Seen failing (the second request has the first one's cost) without the page sizes in the key."""
    text = "query ($n: Int) { trips(first: $n) { edges { node { departures(first: 50) { edges { node { id } } } } } } }"

    costs = [prepare({"query": text, "variables": {"n": size}}).cost for size in (1, 2, 1)]

    assert costs[0] == costs[2] < costs[1]
    with pytest.raises(InvalidRequest):
        prepare({"query": text, "variables": {"n": 100}})


def test_defaults_and_nulls_of_variables() -> None:
    text = "query ($first: Int = 3, $after: String) { trips(first: $first, after: $after) { totalCount } }"

    assert prepare({"query": text}).coerced == {"first": 3}
    assert prepare({"query": text, "variables": {"first": None, "after": None}}).coerced == {
        "first": None,
        "after": None,
    }
