"""How much one document may ask for: its text, its shape, and what answering it would cost."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
)
from graphql.language import Visitor, visit

from shared.rpc.mapping import DEFAULT_PAGE, MAX_PAGE

SENSITIVE: Final = frozenset(
    {"login", "register", "requestPasswordReset", "resendVerification", "refreshTokens", "payBooking"}
)
_INTROSPECTION: Final = frozenset({"__schema", "__type"})
# Validation compares fields of one name pair by pair.
_MAX_NAMESAKES: Final = 300
# A list without a page size is short by nature: photos, passengers, price lines.
_SHORT_LIST: Final = 5


class TooComplex(GraphQLError):
    """The document asks for more than one answer may hold."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The query is too complex: {what}.", extensions={"code": "QUERY_TOO_COMPLEX"})


class _Shape(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.aliases = 0
        self.directives = 0
        self.sensitive = 0
        self.named: Counter[str] = Counter()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.named[node.alias.value if node.alias else node.name.value] += 1
        self.aliases += node.alias is not None
        self.sensitive += node.name.value in SENSITIVE

    def enter_directive(self, *_: Any) -> None:
        self.directives += 1


def check_shape(document: DocumentNode) -> None:
    """Raise TooComplex for too many aliases, directives or sensitive mutations, or too deep a selection."""
    counter = _Shape()
    visit(document, counter)
    if counter.aliases > settings.GRAPHQL_MAX_ALIASES:
        raise TooComplex(f"more than {settings.GRAPHQL_MAX_ALIASES} aliases")
    if counter.directives > settings.GRAPHQL_MAX_DIRECTIVES:
        raise TooComplex(f"more than {settings.GRAPHQL_MAX_DIRECTIVES} directives")
    if max(counter.named.values(), default=0) > _MAX_NAMESAKES:
        raise TooComplex("one field too often")
    if counter.sensitive > 1:
        raise TooComplex("one sign-in, registration, refresh, mail request or payment at a time")
    _check_depth(document)


def _check_depth(document: DocumentNode) -> None:
    fragments = fragments_of(document)
    known: dict[str, int] = {}

    def deepest(selections: SelectionSetNode | None, within: frozenset[str]) -> int:
        return max((depth(node, within) for node in selections.selections), default=0) if selections else 0

    def depth(node: Any, within: frozenset[str]) -> int:
        if isinstance(node, FieldNode):
            exempt = settings.DEBUG and node.name.value in _INTROSPECTION
            return 1 if exempt else 1 + deepest(node.selection_set, within)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in within or name not in fragments:  # validation names the fault
                return 0
            if name not in known:
                known[name] = deepest(fragments[name].selection_set, within | {name})
            return known[name]
        return deepest(node.selection_set, within)

    for definition in document.definitions:
        selections = getattr(definition, "selection_set", None)
        if deepest(selections, frozenset()) > settings.GRAPHQL_MAX_DEPTH:
            raise TooComplex(f"deeper than {settings.GRAPHQL_MAX_DEPTH} fields")


def check_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> None:
    """Raise TooComplex where answering the valid `document` could take more than GRAPHQL_MAX_COST objects.

    An object costs 1, a page its `first` times what each row costs; a scalar is free.
    """
    given = {**_defaults(operation), **variables}
    fragments = fragments_of(document)
    known: dict[tuple[str, str], int] = {}

    def cost(selections: SelectionSetNode | None, parent: Any) -> int:
        return sum(one(node, parent) for node in selections.selections) if selections else 0

    def one(node: Any, parent: Any) -> int:
        if isinstance(node, FieldNode):
            return field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            key = (node.name.value, fragment.type_condition.name.value)
            if key not in known:
                known[key] = cost(fragment.selection_set, schema.get_type(key[1]))
            return known[key]
        narrowed = schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        return cost(node.selection_set, narrowed)

    def field(node: FieldNode, parent: Any) -> int:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            return 0
        below = cost(node.selection_set, get_named_type(definition.type))
        if "first" in definition.args:
            return 1 + _rows(node, given) * max(1, below)
        if node.name.value in {"edges", "node", "pageInfo"}:  # paid for by their page
            return below
        listed = is_list_type(getattr(definition.type, "of_type", None)) or is_list_type(definition.type)
        return (1 + below) * (_SHORT_LIST if listed else 1)

    root = schema.get_root_type(operation.operation)
    if cost(operation.selection_set, root) > settings.GRAPHQL_MAX_COST:
        raise TooComplex("it could return more than one answer may hold; ask for fewer rows")


def _rows(node: FieldNode, given: Mapping[str, Any]) -> int:
    """Return how many rows a page is asked for; whatever is no page size costs the most, and is refused when it runs."""
    value = next((argument.value for argument in node.arguments if argument.name.value == "first"), None)
    if value is None:
        return DEFAULT_PAGE
    if isinstance(value, IntValueNode):
        asked: Any = int(value.value)
    elif isinstance(value, VariableNode):
        asked = given.get(value.name.value, DEFAULT_PAGE)
    else:
        asked = DEFAULT_PAGE
    if asked is None:
        return DEFAULT_PAGE
    return asked if isinstance(asked, int) and 1 <= asked <= MAX_PAGE else MAX_PAGE


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions
        if isinstance(definition.default_value, IntValueNode)
    }


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the document's fragments by name."""
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
