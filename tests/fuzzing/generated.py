"""Generated GraphQL requests: half are documents of the schema with hostile values, the others are damaged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from graphql import GraphQLSchema, build_schema

from gateway_service.tests.executor.documents import GOOD, Values, document_of
from tests.fuzzing import hostile

SCHEMA: Final[GraphQLSchema] = build_schema(
    (Path(__file__).parents[2] / "gateway_service" / "schema.graphql").read_text(encoding="utf-8")
)
KINDS: Final = ("query", "query", "query", "mutation", "mutation", "subscription")


@dataclass(frozen=True)
class Request:
    """A request of the seed `seed`."""

    seed: int
    content: bytes
    headers: Mapping[str, str]

    def encoded_headers(self, own: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """Return the headers with those of the visitor, `own`. The request's replace them."""
        merged = {"Content-Type": "application/json", **own, **self.headers}
        return [(name.encode(), value.encode()) for name, value in merged.items()]

    def __str__(self) -> str:
        return f"seed {self.seed}, headers {dict(self.headers)}, body {self.content[:1_500]!r}"


def payload_of(random: Random, values: Values) -> dict[str, Any]:
    """Return the body of a request with a document of the schema."""
    values = replace(values, hostile_percent=random.choice([0, 2, 10, 40]))
    document = document_of(SCHEMA, random.choice(KINDS), random.getrandbits(48), random.choice([2, 5, 20, 60]), values)
    return {"query": document.text, "variables": document.variables}


def request_of(seed: int, values: Values) -> Request:
    """Return the request of a seed."""
    random = Random(seed)
    payload = payload_of(random, values)
    damage = random.randrange(10)
    if damage == 0:
        return Request(seed, hostile.body(random, payload), {})
    if damage == 1:
        return Request(seed, json.dumps(payload).encode(), random.choice(hostile.HEADERS))
    if damage in {2, 3}:
        payload["query"] = hostile.mangled(random, payload["query"])
    return Request(seed, json.dumps(payload).encode(), {})


def values_of(ids: Mapping[str, Sequence[str]], good: Mapping[str, Sequence[str]]) -> Values:
    """Return the values of documents: `ids` and `good` that exist, ids of nothing, and hostile ones."""
    literals = {name: [json.dumps(value) for value in each] for name, each in good.items()}
    return Values(
        ids=lambda name: [*ids.get(name, ()), *ids.get(name, ()), *hostile.ids_nobody_has(name)],
        good={**GOOD, **literals},
        hostile=hostile.LITERALS,
    )
