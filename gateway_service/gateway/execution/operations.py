"""What is worked out once for each operation of a valid document: variables, costs of answers, and plans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

from cachetools import LRUCache
from graphql import DirectiveNode, DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, Undefined
from graphql.language import Visitor, visit

from gateway_service.gateway.execution.breadth_first.plan import NotPlanned, Plan, variables_in
from gateway_service.gateway.execution.limits import cost_within_limit
from gateway_service.gateway.execution.values import Variable, coerced
from gateway_service.gateway.schema import schema

_MAX_COSTS: Final = 32  # of one operation: one for each choice of page sizes
_MAX_PLAN_SIZE: Final = 2_000  # fields: a larger plan is not kept, because a short document may have it
MAX_PLANS_WEIGHT: Final = 50_000  # of all plans that are kept, about 50 MB
_CHARACTERS_PER_FIELD: Final = 10  # so many characters of a parsed document take as much memory as a planned field


@dataclass(frozen=True, eq=False)
class ValidOperation:
    """One operation of a valid document. The process keeps plans up to MAX_PLANS_WEIGHT, those used last."""

    document: DocumentNode
    definition: OperationDefinitionNode

    @property
    def characters(self) -> int:
        """The length of the document's text."""
        return self.document.loc.end if self.document.loc else 0

    @cached_property
    def _variables(self) -> tuple[Variable, ...]:
        return tuple(Variable.of(schema.graphql_schema, node) for node in self.definition.variable_definitions)

    @cached_property
    def _names(self) -> "_VariablesByUse":
        return _VariablesByUse.of(self.document)

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
        choice = self, tuple(conditions.values())
        try:
            return _plans[choice].plan
        except KeyError:
            plan = self._compiled(conditions, partial(_keep, choice))
            _keep(choice, plan)
            return plan

    def _compiled(self, conditions: Mapping[str, object], on_growth: Callable[[Plan], None]) -> Plan | None:
        given = {name: value for name, value in conditions.items() if value is not Undefined}
        try:
            return Plan(schema.graphql_schema, self.document, self.definition, given, on_growth=on_growth)
        except NotPlanned:
            return None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A plan, or None if graphql-core must execute the operation. It keeps its document, which is often heavier."""

    plan: Plan | None
    weight: int


_Choice = tuple[ValidOperation, tuple[object, ...]]  # an operation, and the values of its conditions
_plans: Final[LRUCache[_Choice, _Kept]] = LRUCache(MAX_PLANS_WEIGHT, getsizeof=lambda kept: kept.weight)


def _keep(choice: _Choice, plan: Plan | None) -> None:
    """Keep a plan that is new or has grown. An execution makes its plan grow, so the cache weighs it each time."""
    operation, _ = choice
    fields = 1 if plan is None else plan.size
    if fields <= _MAX_PLAN_SIZE:
        _plans[choice] = _Kept(plan, fields + operation.characters // _CHARACTERS_PER_FIELD)
    else:
        _plans.pop(choice, None)


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
