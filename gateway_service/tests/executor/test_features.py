"""Each feature of GraphQL by itself, in small schemas: the answer is as expected, and as graphql-core's."""

import asyncio
from typing import Any

import pytest
from graphql import ExecutionResult, OperationDefinitionNode, build_schema, execute, parse

from gateway_service.gateway.execution.breadth_first.plan import NotPlanned, Plan
from gateway_service.gateway.execution.breadth_first.run import execute_plan

SCHEMA = build_schema("""
  type Query { pets: [Pet], pet: Pet, animal: Animal, animals: [Animal!], grid: [[Int]], strict: [[Int!]!], must: Owner!, mood: Mood
               owner: Owner, echo(text: String, times: Int = 2): String, broken: [Int], moods: [Mood!]! }
  type Mutation { first: Int!, second: Owner!, third: Int }
  interface Animal { name: String! }
  union Pet = Dog | Cat
  type Dog implements Animal { name: String!, barks: Boolean, friend: Pet }
  type Cat implements Animal { name: String!, lives: Int!, friends: [Cat!]! }
  type Owner { name: String!, pets: [Pet!]!, best: Cat!, others: [Owner!] }
  enum Mood { GOOD BAD }
""")
DOG = {"__typename": "Dog", "name": "Rex", "barks": True}
CAT = {"__typename": "Cat", "name": "Tom", "lives": 9, "friends": []}


async def answer(query: str, root: Any, variables: dict[str, Any] | None = None) -> ExecutionResult:
    """Return the plan's result, after it was compared with graphql-core's."""
    document = parse(query)
    core = execute(SCHEMA, document, root, variable_values=variables)
    core = core if isinstance(core, ExecutionResult) else await core
    planned = await execute_plan(_plan(query, variables), variables=variables or {}, context=None, root_value=root)
    assert planned.data == core.data
    assert list(planned.data or ()) == list(core.data or ())
    assert [error.formatted for error in planned.errors or ()] == [error.formatted for error in core.errors or ()]
    return planned


def _plan(query: str, variables: dict[str, Any] | None = None) -> Plan:
    document = parse(query)
    (operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return Plan(SCHEMA, document, operation, variables or {})


async def test_objects_of_a_union_get_the_fields_of_their_types() -> None:
    """Seen failing (`lives` of a dog) without the partition in `_complete_objects`."""
    query = "{ pets { __typename ... on Dog { name barks } ...C } } fragment C on Cat { lives ... on Animal { name } }"

    result = await answer(query, {"pets": [DOG, None, CAT, DOG]})

    assert result.data == {
        "pets": [
            {"__typename": "Dog", "name": "Rex", "barks": True},
            None,
            {"__typename": "Cat", "lives": 9, "name": "Tom"},
            {"__typename": "Dog", "name": "Rex", "barks": True},
        ]
    }


async def test_an_object_of_an_unknown_type_is_an_error_of_its_own() -> None:
    planned = await execute_plan(
        _plan("{ pets { __typename } }"),
        variables={},
        context=None,
        root_value={"pets": [DOG, {"__typename": "Fish"}, {"__typename": "Owner"}, CAT]},
    )

    assert planned.data == {"pets": [{"__typename": "Dog"}, None, None, {"__typename": "Cat"}]}
    assert [error.path for error in planned.errors or ()] == [["pets", 1], ["pets", 2]]


async def test_lists_of_lists() -> None:
    result = await answer("{ grid strict }", {"grid": [[1, None], None, []], "strict": [[1], [2, None]]})

    assert result.data == {"grid": [[1, None], None, []], "strict": None}


@pytest.mark.parametrize(
    ("root", "data"),
    [
        ({"owner": {"name": None, "pets": []}}, {"owner": None}),
        ({"owner": {"name": "Ann", "pets": [CAT, {**CAT, "lives": None}]}}, {"owner": None}),
        ({"owner": {"name": "Ann", "pets": None}}, {"owner": None}),
        ({"must": {"name": None, "pets": []}}, None),
    ],
)
async def test_a_null_moves_up_to_the_nearest_nullable_position(root: Any, data: Any) -> None:
    """Seen failing without the sum in `plan._lifts`."""
    field = next(iter(root))
    result = await answer(f"{{ {field} {{ name pets {{ ... on Cat {{ lives }} }} }} }}", root)

    assert result.data == data
    assert len(result.errors or ()) == 1


async def test_only_the_item_is_null_if_items_may_be_null() -> None:
    result = await answer("{ pets { ... on Cat { lives } } }", {"pets": [{**CAT, "lives": None}, CAT]})

    assert result.data == {"pets": [None, {"lives": 9}]}


async def test_fields_of_a_dead_object_do_not_run() -> None:
    """Seen failing (`others` is resolved) without the rows that are alive in `_start`."""
    called = []

    def others(_info: Any) -> list[Any]:
        called.append("others")
        return []

    owner = {"name": None, "others": others}
    result = await answer("{ owner { name others { name } } }", {"owner": owner})

    assert result.data == {"owner": None}
    assert not called


async def test_conditions_by_literal_and_by_variable() -> None:
    query = """query ($yes: Boolean!, $no: Boolean!) { a: mood @include(if: $yes) b: mood @skip(if: $yes)
        ... @include(if: $no) { c: mood } ... @skip(if: false) { d: mood } ...F @skip(if: $no) }
        fragment F on Query { e: mood @include(if: true) f: mood @include(if: $no) }"""

    result = await answer(query, {"mood": "GOOD"}, {"yes": True, "no": False})

    assert result.data == {"a": "GOOD", "d": "GOOD", "e": "GOOD"}


async def test_arguments_with_defaults_variables_and_aliases() -> None:
    query = """query ($text: String, $unset: Int) { a: echo(text: $text) b: echo(text: "y", times: 1)
        c: echo(times: $unset) d: echo(text: null) }"""

    result = await answer(query, {"echo": lambda _info, text=None, times=0: f"{text}{times}"}, {"text": "x"})

    assert result.data == {"a": "x2", "b": "y1", "c": "None2", "d": "None2"}


async def test_merged_fields_keep_their_order() -> None:
    query = "{ pet { ... on Cat { name } } mood pet { ... on Cat { lives name } ...N } } fragment N on Animal { name }"

    result = await answer(query, {"pet": CAT, "mood": "BAD"})

    assert result.data == {"pet": {"name": "Tom", "lives": 9}, "mood": "BAD"}


async def test_values_that_cannot_be_served_are_errors() -> None:
    root = {"broken": 5, "mood": "ANGRY", "pet": ValueError("no"), "grid": [[2**31], "x", [RuntimeError("no")]]}

    result = await answer("{ broken mood pet { __typename } grid }", root)

    assert result.data == {"broken": None, "mood": None, "pet": None, "grid": [[None], None, [None]]}


async def test_mutations_run_in_turn_and_stop_after_one_that_fails() -> None:
    """Seen failing (`third` runs) without the rows that are alive in `_start`."""
    ran: list[str] = []

    def step(name: str, value: Any) -> Any:
        async def run(_info: Any) -> Any:
            await asyncio.sleep(0.001 if name == "first" else 0)
            ran.append(name)
            return value

        return run

    owner = {"name": lambda _info: ran.append("name") or "Ann", "pets": []}
    root = {"first": step("first", 1), "second": step("second", owner), "third": step("third", 3)}
    plan = _plan("mutation { first second { name } third }")

    result = await execute_plan(plan, variables={}, context=None, root_value=root)

    assert (result.data, ran) == (
        {"first": 1, "second": {"name": "Ann"}, "third": 3},
        ["first", "second", "name", "third"],
    )
    ran.clear()
    result = await execute_plan(plan, variables={}, context=None, root_value={**root, "second": step("second", None)})
    assert (result.data, ran) == (None, ["first", "second"])


async def test_a_cancelled_execution_cancels_what_it_started() -> None:
    """Seen failing (the resolver ends) without `task.cancel()` in `Waiting.settle`."""
    cancelled = asyncio.Event()
    started = asyncio.Event()

    async def slow(_info: Any) -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "GOOD"

    execution = asyncio.ensure_future(
        execute_plan(_plan("{ mood }"), variables={}, context=None, root_value={"mood": slow})
    )
    await started.wait()
    execution.cancel()

    with pytest.raises(asyncio.CancelledError):
        await execution
    await asyncio.wait_for(cancelled.wait(), 5)


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ mood ... { t: __type(name: "Dog") { name } } }']
)
def test_introspection_is_left_to_graphql_core(query: str) -> None:
    with pytest.raises(NotPlanned):
        _plan(query)
