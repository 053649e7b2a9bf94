"""Both executors give the same answers to generated documents, whatever the services answer.

In every run 300 documents, in the proofs 10,000.
"""

from typing import Any

import pytest
from graphql import parse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.live.follow import Update
from gateway_service.gateway.schema import schema
from gateway_service.tests.executor.comparing import Case, assert_same
from gateway_service.tests.executor.documents import Document, documents
from gateway_service.tests.executor.upstream import Upstream
from shared.testing.scale import scaled
from shared.text import Locale

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

QUERIES, OTHERS = scaled(reduced=220, whole=8_000), scaled(reduced=40, whole=1_000)
SEEDS = st.integers(0, 10_000)
TROUBLE = st.sampled_from([0.0, 0.05, 0.3])
SIGNED_IN = st.sampled_from([True, True, True, True, False])
LOCALES = st.sampled_from([None, Locale.EN, Locale.FR])


def generated(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@given(document=documents(schema.graphql_schema), seed=SEEDS, trouble=TROUBLE, signed_in=SIGNED_IN, locale=LOCALES)
@generated(QUERIES)
def test_queries_have_the_same_answers(
    document: Document, seed: int, trouble: float, signed_in: bool, locale: Locale | None
) -> None:
    """test_planted_bugs.py shows which bugs this finds."""
    assert_same(
        Case(
            document,
            upstream=lambda: Upstream(seed, trouble),
            context=lambda upstream: upstream.operation(signed_in=signed_in, locale=locale),
        )
    )


@given(document=documents(schema.graphql_schema, "mutation"), seed=SEEDS, trouble=TROUBLE, signed_in=SIGNED_IN)
@generated(OTHERS)
def test_mutations_have_the_same_answers(document: Document, seed: int, trouble: float, signed_in: bool) -> None:
    assert_same(
        Case(
            document,
            upstream=lambda: Upstream(seed, trouble),
            context=lambda upstream: upstream.operation(signed_in=signed_in),
        )
    )


@given(document=documents(schema.graphql_schema, "subscription"), seed=SEEDS, trouble=TROUBLE)
@generated(OTHERS)
def test_updates_of_subscriptions_have_the_same_answers(document: Document, seed: int, trouble: float) -> None:
    assert_same(
        Case(
            document,
            upstream=lambda: Upstream(seed, trouble),
            context=lambda upstream: upstream.operation(),
            root_value=_update(document, Upstream(seed, trouble)),
        )
    )


def _update(document: Document, upstream: Upstream) -> Any:
    (definition, *_) = parse(document.text).definitions
    (root,) = definition.selection_set.selections  # type: ignore[attr-defined]
    if root.name.value == "departureAvailability":
        return upstream.message(destinations_pb2.Departure.DESCRIPTOR, "update")
    return Update(
        upstream.message(bookings_pb2.Booking.DESCRIPTOR, "update"),
        upstream.message(bookings_pb2.BookingEvent.DESCRIPTOR, "update"),
    )
