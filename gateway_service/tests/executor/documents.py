"""Documents generated from the schema: aliases, merged fields, fragments, conditions, variables and arguments.

The proofs of the executor use them, and the fuzzer of the whole platform, so nothing here needs Django.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)
from hypothesis import strategies as st

from gateway_service.gateway.ids import to_global_id

POOL = [str(UUID(int=number, version=4)) for number in range(8)]  # so few ids that objects share rows
GOOD: Mapping[str, Sequence[str]] = {
    "currency": ['"EUR"', '"USD"', '"JPY"'],
    "first": ["1", "2", "3", "20"],
    "afterSequence": ["0", "5"],
    "after": ["null"],
    "width": ["1", "800"],
    "seats": ["1", "2"],
    "latitude": ["48.5"],
    "longitude": ["2.5"],
    "radiusKm": ["30", "1.5"],
}
_ANY: dict[str, list[str]] = {
    "String": ['"EUR"', '"XXX"', '"a"', '""', '"AAAAAAAA"'],
    "Int": ["-1", "0", "1", "2", "20", "101"],
    "Float": ["0", "1.5", "-90.5"],
    "Boolean": ["true", "false"],
    "Date": ['"2026-12-01"', '"2027-02-28"'],
    "DateTime": ['"2026-12-01T10:00:00Z"'],
    "Decimal": ['"10.50"', '"3"', '"0.001"'],
}
_NODES = ("User", "Destination", "Trip", "Departure", "Booking", "Quote", "Payment", "WaitlistEntry", "Session")
_LIKELY_ROOTS = ("me", "me", "me", "node", "destinations", "trips", "search")


@dataclass(frozen=True)
class Values:
    """The values of a document's arguments.

    `ids` returns global ids of a type. `good` has literals by the name of their argument. A share of all values,
    `hostile_percent`, is one of the literals `hostile`, whatever type is asked for.
    """

    ids: Callable[[str], Sequence[str]]
    good: Mapping[str, Sequence[str]]
    hostile: Sequence[str] = ()
    hostile_percent: int = 0


OF_POOL = Values(ids=lambda type_name: [to_global_id(type_name, raw) for raw in POOL], good=GOOD)


@dataclass(frozen=True)
class Document:
    """A valid document with one operation, and its variables."""

    text: str
    variables: dict[str, Any]


def documents(schema: GraphQLSchema, kind: str = "query", *, size: int = 80) -> st.SearchStrategy[Document]:
    """Return documents of `kind` that select about `size` fields at most.

    Only the seed and the size are drawn, so that choices are as frequent as the writer says. A failure is shrunk to a
    small document, because a smaller size is tried first.
    """

    def write(seed: int, size: int) -> Document:
        return document_of(schema, kind, seed, size)

    seeds, sizes = st.integers(0, 2**48), st.sampled_from([1, 2, 5, 20, 40, size])
    return st.builds(write, seeds, sizes).filter(lambda document: is_valid(schema, document))


def document_of(schema: GraphQLSchema, kind: str, seed: int, size: int, values: Values = OF_POOL) -> Document:
    """Return the document of a seed. It may be invalid: fields of different types can conflict."""
    return _Writer(Random(f"{kind} {seed}"), schema, size, values).document(kind)


def is_valid(schema: GraphQLSchema, document: Document) -> bool:
    """Return whether the document is valid."""
    return not validate(schema, parse(document.text), max_errors=1)


@dataclass
class _Writer:
    """Write one document.

    The same response key always stands for the same field with the same arguments, so that fields can be merged.
    """

    random: Random
    schema: GraphQLSchema
    left: int
    values: Values
    definitions: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    calls: dict[tuple[str, str], str] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)

    def chance(self, percent: int) -> bool:
        return self.random.random() * 100 < percent

    def document(self, kind: str) -> Document:
        root: Any = getattr(self.schema, f"{kind}_type")
        if kind == "subscription":
            body = "{ " + self.field(root, self.random.choice(list(root.fields)), 6, plain=True) + " }"
        else:
            names = _LIKELY_ROOTS + tuple(root.fields) if kind == "query" else tuple(root.fields)
            count = self.random.randint(1, 3)
            body = "{ " + " ".join(self.field(root, self.random.choice(names), 7) for _ in range(count)) + " }"
        head = f"({', '.join(self.definitions.values())})" if self.definitions else ""
        return Document(f"{kind} Generated{head} {body}\n" + "\n".join(self.fragments.values()), self.variables)

    def selection(self, type_: Any, depth: int) -> str:
        """Return a selection set of an object, interface or union."""
        if isinstance(type_, GraphQLUnionType):
            narrowed = [
                f"... on {narrow.name}{self.condition()} {self.selection(narrow, depth - 1)}"
                for narrow in self.schema.get_possible_types(type_)
                if self.chance(80)
            ]
            return "{ " + " ".join(["__typename", *narrowed]) + " }"
        names = [name for name, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
        deep = [name for name in type_.fields if name not in names] if depth > 0 else []
        chosen = self.random.sample(names, min(len(names), self.random.randint(1, 5)))
        chosen += self.random.sample(deep, min(len(deep), self.random.randint(1, 3)) if self.left > 0 else 0)
        self.random.shuffle(chosen)
        parts = [self.part(type_, name, depth) for name in chosen]
        if chosen and self.chance(15):
            parts.append(self.random.choice(["__typename", "kindOf: __typename"]))
        if chosen and self.chance(15):
            parts.append(self.part(type_, self.random.choice(chosen), depth))  # merged with the first
        if isinstance(type_, GraphQLInterfaceType):
            for narrow in self.random.sample(self.schema.get_possible_types(type_), 4):
                parts.append(f"... on {narrow.name}{self.condition()} {self.selection(narrow, depth - 1)}")
        return "{ " + " ".join(parts) + " }" if parts else "{ __typename }"

    def part(self, type_: Any, name: str, depth: int) -> str:
        """Return a field, or a fragment with it."""
        how = self.random.randint(0, 11)
        interfaces = getattr(type_, "interfaces", ())
        if how == 0 and depth > 0:
            return self.spread(type_, depth)
        if how == 1:
            return f"... on {type_.name}{self.condition()} {{ {self.field(type_, name, depth)} __typename }}"
        if how == 2:
            return f"...{self.condition()} {{ {self.field(type_, name, depth)} }}"
        if how == 3 and interfaces:
            return f"... on {interfaces[0].name}{self.condition()} {{ id }}"
        return self.field(type_, name, depth)

    def spread(self, type_: Any, depth: int) -> str:
        """Return a spread of the document's fragment on the type. Write the fragment at its first use."""
        name = f"On{type_.name}"
        if name not in self.fragments:
            self.fragments[name] = ""
            self.unfinished.add(name)
            self.fragments[name] = f"fragment {name} on {type_.name} {self.selection(type_, min(depth - 1, 2))}"
            self.unfinished.discard(name)
        return "__typename" if name in self.unfinished else f"...{name}{self.condition()}"

    def field(self, type_: Any, name: str, depth: int, *, plain: bool = False) -> str:
        self.left -= 1
        of = get_named_type(type_.fields[name].type)
        key = f"{name}{self.random.randint(1, 2)}_{type_.name}" if self.chance(15) else name
        call = self.calls.get((type_.name, key))
        if call is None:
            call = self.calls[type_.name, key] = self.arguments(type_, name, type_.fields[name])
        body = "" if is_leaf_type(of) else " " + self.selection(of, depth - 1)
        alias = "" if key == name else f"{key}: "
        return f"{alias}{name}{call}{'' if plain else self.condition()}{body}"

    def condition(self) -> str:
        if not self.chance(8):
            return ""
        directive = self.random.choice(["skip", "include"])
        name = self.random.choice(["true", "false", "yes", "no", "unset"])
        if name in {"true", "false"}:
            return f" @{directive}(if: {name})"
        self.definitions[name] = f"${name}: Boolean{' = true' if name == 'unset' else '!'}"
        if name != "unset":
            self.variables[name] = name == "yes"
        return f" @{directive}(if: ${name})"

    def arguments(self, type_: Any, field_name: str, of: GraphQLField) -> str:
        written = []
        for name, argument in of.args.items():
            if is_non_null_type(argument.type) or self.chance(30) or (field_name in {"trip", "destination"}):
                values = self.good(type_, field_name, name, of) if self.chance(92) else None
                value = self.variable(argument, values) if self.chance(25) else self.literal(argument.type, values)
                written.append(f"{name}: {value}")
                if field_name in {"trip", "destination"}:
                    break  # either the id or the slug
        return f"({', '.join(written)})" if written else ""

    def good(self, type_: Any, field_name: str, name: str, of: GraphQLField) -> Sequence[str] | None:
        """Return texts of values that resolvers accept, or None if any value will do."""
        if get_named_type(of.args[name].type).name != "ID":
            return self.values.good.get(name)
        target = get_named_type(of.type).name if name == "id" else name[0].upper() + name[1:]
        names = _NODES if target == "Node" else ("Destination",) if target == "Parent" else (target,)
        return [f'"{global_id}"' for each in names for global_id in self.values.ids(each)] or None

    def variable(self, argument: GraphQLArgument, good: Sequence[str] | None) -> str:
        name = f"v{len(self.definitions)}"
        required = is_non_null_type(argument.type)
        default = f" = {self.literal(argument.type, good)}" if self.chance(30) else ""
        self.definitions[name] = f"${name}: {argument.type}{default}"
        how = self.random.randint(0, 5)
        if how == 0 and not required:
            self.variables[name] = None
        elif how != 1 or (required and not default):
            self.variables[name] = self.value(argument.type, good)
        return f"${name}"

    def literal(self, type_: Any, good: Sequence[str] | None = None) -> str:
        """Return the text of an input value."""
        if not is_non_null_type(type_) and self.chance(8):
            return "null"
        inner: Any = get_nullable_type(type_)
        if is_list_type(inner):
            return "[" + ", ".join(self.literal(inner.of_type) for _ in range(self.random.randint(0, 2))) + "]"
        if isinstance(inner, GraphQLInputObjectType):
            good_of = self.values.good.get
            return "{" + ", ".join(f"{n}: {self.literal(f.type, good_of(n))}" for n, f in self.some(inner)) + "}"
        return self.leaf(inner, good)

    def value(self, type_: Any, good: Sequence[str] | None = None) -> Any:
        """Return an input value as JSON."""
        inner: Any = get_nullable_type(type_)
        if is_list_type(inner):
            return [self.value(inner.of_type) for _ in range(self.random.randint(0, 2))]
        if isinstance(inner, GraphQLInputObjectType):
            return {name: self.value(each.type, self.values.good.get(name)) for name, each in self.some(inner)}
        return _json(self.leaf(inner, good))

    def leaf(self, type_: GraphQLNamedType, good: Sequence[str] | None) -> str:
        """Return the text of a value of a scalar or enum, or a hostile one."""
        if self.values.hostile and self.chance(self.values.hostile_percent):
            return self.random.choice(self.values.hostile)
        return self.random.choice(good or _leaves(type_))

    def some(self, inner: GraphQLInputObjectType) -> list[tuple[str, Any]]:
        return [(n, each) for n, each in inner.fields.items() if is_non_null_type(each.type) or self.chance(50)]


def _json(text: str) -> Any:
    """Return the JSON value of the text of a literal. The name of an enum's value becomes a string."""
    is_name = text[0].isalpha() and text not in {"true", "false", "null"}
    return text if is_name else json.loads(text)


def _leaves(type_: GraphQLNamedType) -> list[str]:
    if isinstance(type_, GraphQLEnumType):
        return list(type_.values)
    return [f'"{to_global_id("Trip", POOL[0])}"', '"?"'] if type_.name == "ID" else _ANY[type_.name]
