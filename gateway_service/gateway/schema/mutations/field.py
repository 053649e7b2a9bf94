"""The class of a mutation's field, and the decorator `mutation`, which turns results and refusals into payloads."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import graphene
from graphene.types.unmountedtype import UnmountedType

from gateway_service.gateway.schema.base import Info
from gateway_service.gateway.schema.input_names import input_name
from shared.errors import DomainError, protocols_of
from shared.text import Locale as Language

Payload = dict[str, Any]  # the fields of a payload by name: messages and scalars
Resolver = Callable[..., Awaitable[Payload]]


class MutationField(graphene.Field):
    """A field of Mutation.

    A refusal is a top-level error only if shared/errors.py gives its kind a top-level code and `refusals` does not list
    its own code. Every other refusal is in the payload's `errors`.
    """

    def __init__(
        self, payload: type[graphene.ObjectType], refusals: frozenset[str], act: Resolver, **arguments: UnmountedType
    ):
        self.refusals = refusals
        super().__init__(payload, required=True, resolver=_resolver(act, refusals), **arguments)


def mutation(
    payload: type[graphene.ObjectType], refusals: str = "", **arguments: UnmountedType
) -> Callable[[Resolver], MutationField]:
    """Make a field of Mutation from a coroutine function `(info, **arguments)`.

    The function returns the payload's fields by name, or raises a refusal. `refusals` are codes, separated by spaces.
    """

    def decorate(act: Resolver) -> MutationField:
        return MutationField(payload, frozenset(refusals.split()), act, **arguments)

    return decorate


def _resolver(act: Resolver, refusals: frozenset[str]) -> Resolver:
    @functools.wraps(act)
    async def resolve(_root: None, info: Info, **arguments: object) -> Payload:
        locale = await info.context.locale()
        try:
            answer = await act(info, **arguments)
        except DomainError as error:
            if error.code not in refusals and protocols_of(error).graphql is not None:
                raise
            two_factor = error.code == "TWO_FACTOR_REQUIRED"
            return {"ok": False, "two_factor_required": two_factor, "errors": [user_error(error, locale)]}
        finally:
            info.context.renew()
        # A payload type ignores keys that it has no field for.
        return {"ok": True, "two_factor_required": False, "errors": [], **answer}

    return resolve


def user_error(error: DomainError, locale: Language) -> dict[str, object]:
    """Return `error` as an entry of a payload's `errors`."""
    return {
        "code": error.code,
        "message": error.localized(locale),
        "field": input_name(error.field),
        "params": error.params or None,
    }
