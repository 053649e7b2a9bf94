"""The generated documents find bugs that are planted in the executor."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from graphql import get_argument_values

from gateway_service.gateway.execution.breadth_first import leaves, plan, positions, run
from gateway_service.gateway.schema import schema
from gateway_service.tests.executor.comparing import Case, assert_same
from gateway_service.tests.executor.documents import document_of, is_valid
from gateway_service.tests.executor.upstream import Upstream

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DOCUMENTS = 300


def nulls_do_not_move_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(positions.Errors, "add", _added_without_lifts(positions.Errors.add))


def _added_without_lifts(add: Any) -> Any:
    return lambda self, error, path, lifts: add(self, error, path, 0)


def conditions_are_ignored(patch: pytest.MonkeyPatch) -> None:
    collect = plan.collect_sub_fields

    def collect_all(schema: Any, fragments: Any, values: Mapping[str, Any], *rest: Any) -> Any:
        return collect(schema, fragments, dict.fromkeys(values, True), *rest)

    patch.setattr(plan, "collect_sub_fields", collect_all)


def the_first_arguments_are_kept(patch: pytest.MonkeyPatch) -> None:
    def arguments(self: Any, variables: Any) -> Any:
        return get_argument_values(self.definition, self.nodes[0], {})

    patch.setattr(plan.Field, "arguments", arguments)


def rows_are_mixed_up_where_some_are_null(patch: pytest.MonkeyPatch) -> None:
    def without(indices: Any, slots: Any, column: Sequence[Any]) -> Any:
        kept = [index for index in range(len(column)) if index not in indices]
        return slots.only(range(len(kept))), [column[index] for index in kept]

    patch.setattr(run, "_without", without)


def nodes_of_merged_fields_are_lost(patch: pytest.MonkeyPatch) -> None:
    collect = plan.collect_sub_fields
    patch.setattr(plan, "collect_sub_fields", lambda s, f, v, t, nodes: collect(s, f, v, t, nodes[:1]))


def large_numbers_are_served(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leaves, "GRAPHQL_MAX_INT", 2**62)


def errors_below_a_null_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(positions.Errors, "listed", lambda self: [error for _, error in self._errors])


BUGS = [
    nulls_do_not_move_up,
    conditions_are_ignored,
    the_first_arguments_are_kept,
    rows_are_mixed_up_where_some_are_null,
    nodes_of_merged_fields_are_lost,
    large_numbers_are_served,
    errors_below_a_null_stay,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (no document shows the bug) with ignored conditions if the documents have no conditions, and with
    kept arguments if they have no variables.
    """
    bug(monkeypatch)

    found_after = next((seed for seed in range(DOCUMENTS) if _differs(seed)), None)

    assert found_after is not None


def _differs(seed: int) -> bool:
    document = document_of(schema.graphql_schema, "query", seed, 60)
    if not is_valid(schema.graphql_schema, document):
        return False
    try:
        assert_same(
            Case(
                document,
                upstream=lambda: Upstream(seed, 0.3 if seed % 2 else 0.05),
                context=lambda upstream: upstream.operation(),
            )
        )
    except Exception:
        return True
    return False
