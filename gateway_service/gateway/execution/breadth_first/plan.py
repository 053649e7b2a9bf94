"""Plans: operations compiled once per document, and executed many times.

A plan is made for one choice of the conditions of @skip and @include. So its selections have no conditions left. Places
are compiled when the first object reaches them, because only then the type of an object behind an interface is known.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeNameMetaFieldDef,
    VariableNode,
    default_field_resolver,
    get_argument_values,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import collect_fields, collect_sub_fields
from graphql.execution.execute import get_field_def
from graphql.language import Visitor, visit

from gateway_service.gateway.execution.breadth_first.leaves import serializer_of

Many = Callable[..., Any]


class NotPlanned(Exception):
    """The operation must be executed by graphql-core."""


class Plan:
    """One operation, for one choice of `conditions`: the values of the variables of @skip and @include.

    `size` is the number of its fields. `on_growth` is called whenever it has become larger.

    Raises NotPlanned for an operation with introspection, or with an invalid condition, and for a schema with types
    that check their objects (`is_type_of`).
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, object],
        on_growth: Callable[["Plan"], None] = lambda _: None,
    ) -> None:
        self.schema: Final = schema
        self.operation: Final = operation
        self.fragments: Final = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.conditions: Final = dict(conditions)
        self.is_serial: Final = operation.operation is OperationType.MUTATION
        self.size = 0
        self._on_growth: Final = on_growth
        root = schema.get_root_type(operation.operation)
        if root is None or any(getattr(type_, "is_type_of", None) for type_ in schema.type_map.values()):
            raise NotPlanned
        try:
            nodes = collect_fields(schema, self.fragments, self.conditions, root, operation.selection_set)
        except GraphQLError:
            raise NotPlanned from None
        if any(field_nodes[0].name.value in {"__schema", "__type"} for field_nodes in nodes.values()):
            raise NotPlanned
        self.root: Final = Place(self, root, nodes, 0)

    def grow(self, fields: int) -> None:
        """Note that a place with so many fields was compiled."""
        self.size += fields
        self._on_growth(self)


class Place:
    """The selected fields of the objects of one type at one place of the answer.

    `lifts` is by how many keys a null moves up when it replaces such an object, see `Field.lifts`.
    """

    __slots__ = ("fields", "lifts", "template", "type")

    def __init__(self, plan: Plan, type_: GraphQLObjectType, nodes: Mapping[str, list[FieldNode]], lifts: int) -> None:
        self.type = type_
        self.lifts = lifts
        self.fields = tuple(Field(plan, self, key, field_nodes) for key, field_nodes in nodes.items())
        self.template: dict[str, Any] = dict.fromkeys(nodes)  # keeps the order of the keys
        plan.grow(len(self.fields))


class Field:
    """One selected field of a place. Nodes that select the same key are merged.

    The position of a value has a depth: 0 for the field itself, 1 for the items of its list, 2 for the items of lists
    in this list. `lifts[depth]` is how many keys the path of a null at this position is shortened, until it is the path
    of a position that may be null.
    """

    __slots__ = (
        "_constant_arguments", "_places", "_plan", "definition", "depth", "is_abstract", "is_leaf", "key", "lifts",
        "many", "name", "named_type", "nodes", "place", "resolve", "serialize",
    )  # fmt: skip

    def __init__(self, plan: Plan, place: Place, key: str, nodes: list[FieldNode]) -> None:
        definition = get_field_def(plan.schema, place.type, nodes[0])
        if definition is None:  # only an invalid document selects a field that does not exist
            raise NotPlanned
        self._plan = plan
        self.place = place
        self.key = key
        self.nodes = nodes
        self.name = nodes[0].name.value
        self.definition: GraphQLField = definition
        self.resolve = definition.resolve or default_field_resolver
        self.many = _typename(place.type.name) if definition is TypeNameMetaFieldDef else _many_of(self.resolve)
        self.lifts, self.named_type = _lifts(definition.type, place.lifts)
        self.depth = len(self.lifts) - 1
        self.is_leaf = is_leaf_type(self.named_type)
        self.is_abstract = is_abstract_type(self.named_type)
        self.serialize = serializer_of(self.named_type) if self.is_leaf else None
        self._places: dict[str, Place] = {}
        self._constant_arguments = self._without_variables()

    def arguments(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the field's coerced arguments. Raises GraphQLError if one of them is invalid."""
        if self._constant_arguments is not None:
            return self._constant_arguments
        return get_argument_values(self.definition, self.nodes[0], variables)

    def place_of(self, type_: GraphQLObjectType) -> Place:
        """Return the place of this field's objects of `type_`. Raises GraphQLError for an invalid condition."""
        place = self._places.get(type_.name)
        if place is None:
            plan = self._plan
            nodes = collect_sub_fields(plan.schema, plan.fragments, plan.conditions, type_, self.nodes)
            place = self._places[type_.name] = Place(plan, type_, nodes, self.lifts[-1])
        return place

    def _without_variables(self) -> dict[str, Any] | None:
        """Return the arguments if they are the same in every request."""
        if any(variables_in(argument.value) for argument in self.nodes[0].arguments):
            return None
        try:
            return get_argument_values(self.definition, self.nodes[0], {})
        except GraphQLError:
            return None


def variables_in(node: Any) -> set[str]:
    """Return the names of the variables in a part of a document."""
    finder = _Variables()
    visit(node, finder)
    return finder.names


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


def _typename(name: str) -> Many:
    return lambda roots, info: [name] * len(roots)


def _many_of(resolver: Callable[..., Any]) -> Many | None:
    """Return the resolver's function of all objects, or None if it only resolves one object at a time."""
    if isinstance(resolver, partial):
        many = getattr(resolver.func, "many", None)
        return partial(many, *resolver.args, **resolver.keywords) if many else None
    return getattr(resolver, "many", None)


def _lifts(type_: Any, above: int) -> tuple[tuple[int, ...], Any]:
    """Return by how many keys a null moves up from each depth of `type_`, and the named type.

    `above` is the number for the parent.
    """
    lifts: list[int] = []
    while True:
        if is_non_null_type(type_):
            type_ = type_.of_type
            above += 1
        else:
            above = 0
        lifts.append(above)
        if not is_list_type(type_):
            return tuple(lifts), type_
        type_ = type_.of_type
