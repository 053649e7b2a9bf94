"""Both executors give the same answers to generated documents, whatever the services answer."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway_service.gateway.schema import schema
from gateway_service.tests.executor.comparing import Case, assert_same
from gateway_service.tests.executor.documents import Document, documents
from gateway_service.tests.executor.upstream import Upstream
from shared.testing.scale import scaled
from shared.text import Locale

EXAMPLES = scaled(reduced=300, whole=10_000)


# graphql-core abandons coroutines when a field beside them fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@given(
    document=documents(schema.graphql_schema),
    seed=st.integers(0, 10_000),
    trouble=st.sampled_from([0.0, 0.05, 0.3]),
    signed_in=st.sampled_from([True, True, True, True, False]),
    locale=st.sampled_from([None, Locale.EN, Locale.FR]),
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    database=None,
)
def test_queries_have_the_same_answers(
    document: Document, seed: int, trouble: float, signed_in: bool, locale: Locale | None
) -> None:
    """Seen failing if `@include` is ignored, or if a null does not reach the list around an item."""
    assert_same(
        Case(
            document,
            upstream=lambda: Upstream(seed, trouble),
            context=lambda upstream: upstream.operation(signed_in=signed_in, locale=locale),
        )
    )
