"""The memory of documents and plans is bounded, whatever anonymous clients send."""

import asyncio

import pytest
from graphql import OperationDefinitionNode, parse

from gateway_service.gateway.execution import documents, operations
from gateway_service.gateway.execution.documents import prepare
from gateway_service.gateway.execution.operations import ValidOperation
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

    monkeypatch.setattr(operations, "_plans", type(operations._plans)(600, getsizeof=operations._plans.getsizeof))
    asyncio.run(run())

    kept = [kept.plan for kept in operations._plans.values() if kept.plan is not None]
    assert len(kept) > 10
    assert min(plan.size for plan in kept) > 4  # the fields of `me` and below
    assert sum(plan.size for plan in kept) <= 600


def test_the_documents_have_a_limit_in_characters() -> None:
    """Seen failing (500 documents are kept, half a gigabyte) if only their number is limited."""
    documents._valid_documents.clear()
    padding = "#" * 30_000

    for number in range(40):
        prepare({"query": f"{{ __typename }} {padding}{number}"})

    assert 0 < sum(valid.size for valid in documents._valid_documents.values()) <= documents.MAX_DOCUMENTS_SIZE


@pytest.mark.parametrize("text", ["{ __typename }", '{ __type(name: "A") { name } }'], ids=["planned", "not planned"])
def test_the_documents_that_plans_keep_have_a_limit_in_characters(text: str) -> None:
    """A plan keeps its parsed document, which may be long when the plan has one field.

    Seen failing (all 40 documents are kept, 1,200,000 characters) if a plan weighs as much as its fields alone.
    """
    operations._plans.clear()
    padding = "#" * 30_000

    for number in range(40):
        document = parse(f"{text} {padding}{number}")
        (definition,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        ValidOperation(document, definition).plan({})

    kept = {operation for operation, _ in operations._plans}
    assert len(kept) > 10
    assert sum(operation.characters for operation in kept) <= documents.MAX_DOCUMENTS_SIZE
