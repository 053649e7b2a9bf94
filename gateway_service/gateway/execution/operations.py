"""What is worked out once for each operation of a valid document: variables, costs of answers, and plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cachetools import LRUCache
from graphql import DirectiveNode, DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, Undefined
from graphql.language import Visitor, visit

from gateway_service.gateway.execution.breadth_first.plan import NotPlanned, Plan, variables_in
from gateway_service.gateway.execution.limits import cost_within_limit
from gateway_service.gateway.execution.values import Variable, coerced
from gateway_service.gateway.schema import schema

_MAX_PLANS: Final = 8  # of one operation: a plan for each choice of the conditions of @skip and @include
_MAX_COSTS: Final = 32  # of one operation: one for each choice of page sizes
_MAX_PLAN_SIZE: Final = 2_000  # fields: a larger plan is not kept, because a short document may have it


@dataclass(frozen=True)
class ValidOperation:
    """One operation of a valid document."""

    document: DocumentNode
    definition: OperationDefinitionNode

    @cached_property
    def _variables(self) -> tuple[Variable, ...]:
        return tuple(Variable.of(schema.graphql_schema, node) for node in self.definition.variable_definitions)

    @cached_property
    def _names(self) -> "_VariablesByUse":
        return _VariablesByUse.of(self.document)

    @cached_property
    def _plans(self) -> LRUCache[tuple[object, ...], Plan | None]:
        return LRUCache(maxsize=_MAX_PLANS)

    @cached_property
    def _costs(self) -> LRUCache[tuple[object, ...], int]:
        return LRUCache(maxsize=_MAX_COSTS)

    def coerced(self, variables: Mapping[str, object]) -> tuple[dict[str, Any], list[GraphQLError]]:
        """Return the variables as resolvers receive them, and the errors of those that do not fit their types."""
        return coerced(self._variables, variables)

    def cost(self, variables: Mapping[str, object]) -> int:
        """Return the estimated number of objects in the answer. `variables` are coerced. Raises TooComplex."""
        sizes = tuple(variables.get(name) for name in self._names.of_page_sizes)
        cost = self._costs.get(sizes)
        if cost is None:
            cost = cost_within_limit(schema.graphql_schema, self.document, self.definition, variables)
            self._costs[sizes] = cost
        return cost

    def plan(self, variables: Mapping[str, object]) -> Plan | None:
        """Return the plan for coerced `variables`, or None if graphql-core must execute the operation."""
        conditions = {name: variables.get(name, Undefined) for name in self._names.of_conditions}
        choice = tuple(conditions.values())
        try:
            plan = self._plans[choice]
        except KeyError:
            plan = self._plans[choice] = self._compiled(conditions)
        if plan is not None and plan.size > _MAX_PLAN_SIZE:
            del self._plans[choice]
        return plan

    def _compiled(self, conditions: Mapping[str, object]) -> Plan | None:
        given = {name: value for name, value in conditions.items() if value is not Undefined}
        try:
            return Plan(schema.graphql_schema, self.document, self.definition, given)
        except NotPlanned:
            return None


@dataclass(frozen=True, slots=True)
class _VariablesByUse:
    """The names of the variables in the conditions of @skip and @include, and in the arguments `first`."""

    of_conditions: tuple[str, ...]
    of_page_sizes: tuple[str, ...]

    @classmethod
    def of(cls, document: DocumentNode) -> "_VariablesByUse":
        finder = _Finder()
        visit(document, finder)
        return cls(tuple(sorted(finder.of_conditions)), tuple(sorted(finder.of_page_sizes)))


class _Finder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.of_conditions: set[str] = set()
        self.of_page_sizes: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.of_conditions |= variables_in(node)

    def enter_field(self, node: FieldNode, *_: object) -> None:
        for argument in node.arguments:
            if argument.name.value == "first":
                self.of_page_sizes |= variables_in(argument)
