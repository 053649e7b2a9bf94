"""The memory of documents and plans is bounded, whatever anonymous clients send."""

import asyncio

import pytest

from gateway_service.gateway.execution import documents, operations
from gateway_service.gateway.execution.documents import prepare
from gateway_service.gateway.execution.run import answer
from gateway_service.tests.executor.upstream import Upstream

MANY_PLANS = """query ($a: Boolean!, $b: Boolean!) {
  me { id @skip(if: $a) email @skip(if: $b) profile { firstName lastName phone } bookings(first: 1) { edges { cursor } } }
}"""


def test_the_plans_of_all_documents_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (each of the plans is kept, with the fields that it got by execution) with a limit per operation."""
    operations._plans.clear()
    upstream = Upstream(1, 0)

    async def run() -> None:
        for document in range(30):
            for choice in range(4):
                payload = {"query": f"{MANY_PLANS} #{document}", "variables": {"a": choice < 2, "b": choice % 2 == 0}}
                await answer(prepare(payload), upstream.operation())

    monkeypatch.setattr(operations, "_plans", type(operations._plans)(300, getsizeof=operations._plans.getsizeof))
    asyncio.run(run())

    kept = [plan for plan in operations._plans.values() if plan is not None]
    assert len(kept) > 10
    assert min(plan.size for plan in kept) > 4  # the fields of `me` and below
    assert sum(plan.size for plan in kept) <= 300


def test_the_documents_have_a_limit_in_characters() -> None:
    """Seen failing (500 documents are kept, half a gigabyte) if only their number is limited."""
    documents._valid_documents.clear()
    padding = "#" * 30_000

    for number in range(40):
        prepare({"query": f"{{ __typename }} {padding}{number}"})

    assert 0 < sum(valid.size for valid in documents._valid_documents.values()) <= documents.MAX_DOCUMENTS_SIZE
