"""Limits of one document: the shape of its text, and the estimated cost of its answer."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
)
from graphql.language import Visitor, visit

from shared.rpc.mapping import DEFAULT_PAGE, MAX_PAGE

# Mutations that check a secret, or that mail somebody, or that pay: one a document.
SENSITIVE: Final = frozenset(
    {
        "login", "refreshTokens", "register", "resendVerification", "verifyEmail", "verifyPhone",
        "requestPasswordReset", "resetPassword", "changePassword", "changeEmail", "confirmEmailChange",
        "enableTwoFactor", "confirmTwoFactor", "disableTwoFactor", "eraseAccount", "payBooking",
    }
)  # fmt: skip
_INTROSPECTION: Final = frozenset({"__schema", "__type"})
# Validation compares every two fields of the same name, so its time grows with the square of this number.
_MAX_FIELDS_OF_ONE_NAME: Final = 300
# Assumed rows of a list that has no page size, such as photos, passengers and price lines.
_ROWS_OF_SHORT_LIST: Final = 5


class TooComplex(GraphQLError):
    """The document exceeds a limit. `what` names the limit in the text for the client."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The query is too complex: {what}.", extensions={"code": "QUERY_TOO_COMPLEX"})


class _Shape(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.aliases = 0
        self.directives = 0
        self.field_names: Counter[str] = Counter()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.field_names[node.alias.value if node.alias else node.name.value] += 1
        self.aliases += node.alias is not None

    def enter_directive(self, *_: object) -> None:
        self.directives += 1


def check_shape(document: DocumentNode) -> None:
    """Raise TooComplex for too deep a selection, or too many aliases, directives or fields with the same name.

    Also raise TooComplex for more than one field of SENSITIVE: otherwise one request could try many passwords.
    """
    counter = _Shape()
    visit(document, counter)
    if counter.aliases > settings.GRAPHQL_MAX_ALIASES:
        raise TooComplex(f"more than {settings.GRAPHQL_MAX_ALIASES} aliases")
    if counter.directives > settings.GRAPHQL_MAX_DIRECTIVES:
        raise TooComplex(f"more than {settings.GRAPHQL_MAX_DIRECTIVES} directives")
    if max(counter.field_names.values(), default=0) > _MAX_FIELDS_OF_ONE_NAME:
        raise TooComplex(f"more than {_MAX_FIELDS_OF_ONE_NAME} fields of one name")
    if _sensitive_fields(document) > 1:
        raise TooComplex("more than one mutation that checks a secret, sends a mail or pays")
    _check_depth(document)


def _sensitive_fields(document: DocumentNode) -> int:
    """Return how many fields of SENSITIVE all operations of the document select.

    The fields of a fragment count as often as it is spread.
    """
    fragments = fragments_of(document)
    counts: dict[str, int] = {}

    def count(selections: SelectionSetNode | None, within: frozenset[str]) -> int:
        return sum(count_of(node, within) for node in selections.selections) if selections else 0

    def count_of(node: SelectionNode, within: frozenset[str]) -> int:
        if isinstance(node, FieldNode):
            return (node.name.value in SENSITIVE) + count(node.selection_set, within)
        if isinstance(node, FragmentSpreadNode):
            return count_of_fragment(node.name.value, within)
        return count(node.selection_set, within) if isinstance(node, InlineFragmentNode) else 0

    def count_of_fragment(name: str, within: frozenset[str]) -> int:
        if name in within or name not in fragments:  # validation reports cycles and unknown fragments
            return 0
        if name not in counts:
            counts[name] = count(fragments[name].selection_set, within | {name})
        return counts[name]

    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return sum(count(node.selection_set, frozenset()) for node in operations)


def _check_depth(document: DocumentNode) -> None:
    fragments = fragments_of(document)
    depths: dict[str, int] = {}

    def deepest(selections: SelectionSetNode | None, within: frozenset[str]) -> int:
        return max((depth(node, within) for node in selections.selections), default=0) if selections else 0

    def depth(node: SelectionNode, within: frozenset[str]) -> int:
        if isinstance(node, FieldNode):
            is_unlimited = settings.DEBUG and node.name.value in _INTROSPECTION
            return 1 if is_unlimited else 1 + deepest(node.selection_set, within)
        if isinstance(node, FragmentSpreadNode):
            return depth_of_fragment(node.name.value, within)
        return deepest(node.selection_set, within) if isinstance(node, InlineFragmentNode) else 0

    def depth_of_fragment(name: str, within: frozenset[str]) -> int:
        if name in within or name not in fragments:  # validation reports cycles and unknown fragments
            return 0
        if name not in depths:
            depths[name] = deepest(fragments[name].selection_set, within | {name})
        return depths[name]

    for definition in document.definitions:
        selections = getattr(definition, "selection_set", None)
        if deepest(selections, frozenset()) > settings.GRAPHQL_MAX_DEPTH:
            raise TooComplex(f"deeper than {settings.GRAPHQL_MAX_DEPTH} fields")


def cost_within_limit(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, object]
) -> int:
    """Return the estimated cost of the answer. `document` must be valid.

    Raises TooComplex above GRAPHQL_MAX_COST.

    A scalar is free. An object costs 1 plus the cost of its fields. A page costs 1 plus its size times the cost of a
    row. A row costs the sum of its fields, but at least 1. A list without a page size is assumed to have
    _ROWS_OF_SHORT_LIST rows.
    """
    variable_values = {**_defaults(operation), **variables}
    fragments = fragments_of(document)
    costs: dict[str, int] = {}

    def cost(selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> int:
        return sum(cost_of(node, parent) for node in selections.selections) if selections else 0

    def cost_of(node: SelectionNode, parent: GraphQLNamedType | None) -> int:
        if isinstance(node, FieldNode):
            return field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            return cost_of_fragment(fragments[node.name.value])
        if not isinstance(node, InlineFragmentNode):
            return 0
        narrowed = schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        return cost(node.selection_set, narrowed)

    def cost_of_fragment(fragment: FragmentDefinitionNode) -> int:
        name = fragment.name.value
        if name not in costs:
            costs[name] = cost(fragment.selection_set, schema.get_type(fragment.type_condition.name.value))
        return costs[name]

    def cost_beside_rows(selections: SelectionSetNode | None, page: GraphQLNamedType | None) -> int:
        """Return the cost of what a page has once, such as facets. The fields of its rows are below `edges`."""
        if "edges" not in getattr(page, "fields", {}):
            return 0
        nodes = selections.selections if selections else ()
        return sum(cost_of(node, page) for node in nodes if isinstance(node, FieldNode) and node.name.value != "edges")

    def field(node: FieldNode, parent: GraphQLNamedType | None) -> int:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            return 0
        below = cost(node.selection_set, get_named_type(definition.type))
        if "first" in definition.args:
            beside = cost_beside_rows(node.selection_set, get_named_type(definition.type))
            return 1 + beside + _page_size(node, variable_values) * max(1, below - beside)
        if node.name.value in {"edges", "node", "pageInfo"}:  # part of a page, whose rows are counted
            return below
        listed = is_list_type(getattr(definition.type, "of_type", None)) or is_list_type(definition.type)
        return (1 + below) * (_ROWS_OF_SHORT_LIST if listed else 1)

    total = cost(operation.selection_set, schema.get_root_type(operation.operation))
    if total > settings.GRAPHQL_MAX_COST:
        raise TooComplex(f"the answer could contain more than {settings.GRAPHQL_MAX_COST} objects; ask for fewer rows")
    return total


def _page_size(node: FieldNode, variable_values: Mapping[str, object]) -> int:
    """Return the requested page size. For an invalid page size return MAX_PAGE: execution refuses it anyway."""
    value = next((argument.value for argument in node.arguments if argument.name.value == "first"), None)
    if value is None:
        return DEFAULT_PAGE
    if isinstance(value, IntValueNode):
        rows: object = int(value.value)
    elif isinstance(value, VariableNode):
        rows = variable_values.get(value.name.value, DEFAULT_PAGE)
    else:
        rows = DEFAULT_PAGE
    if rows is None:
        return DEFAULT_PAGE
    return rows if isinstance(rows, int) and 1 <= rows <= MAX_PAGE else MAX_PAGE


def _defaults(operation: OperationDefinitionNode) -> dict[str, object]:
    return {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions
        if isinstance(definition.default_value, IntValueNode)
    }


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the document's fragments by name."""
    definitions = document.definitions
    return {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
