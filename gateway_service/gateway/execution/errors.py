"""Errors of GraphQL requests: the refusal of a whole request, and how every error is shown to a client.

A client reads a code in `extensions` and a text in its language, and no internal detail.
"""

import re
from collections.abc import Sequence
from typing import Final

import structlog
from django.conf import settings
from graphql import ExecutionResult, GraphQLError

from gateway_service.gateway.execution.values import without_values
from gateway_service.gateway.schema.input_names import input_name
from shared.errors import DomainError, protocols_of
from shared.text import Locale, Text

INTERNAL: Final = Text(en="Something went wrong on our side.", fr="Une erreur est survenue de notre côté.")
_SUGGESTION: Final = re.compile(r" Did you mean .*\?$", re.DOTALL)

log = structlog.get_logger(__name__)


class InvalidRequest(Exception):
    """The request is refused before anything is executed. `status` is the HTTP status."""

    def __init__(self, errors: list[GraphQLError], status: int = 400) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.status = status


def bad_input(message: str) -> GraphQLError:
    """Return a top-level error with the code BAD_USER_INPUT."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def error_body(error: GraphQLError, locale: Locale) -> dict[str, object]:
    """Return `error` as an entry of an answer's `errors`. If it is internal, log it and hide its text."""
    message, extensions = _message(error, locale)
    body: dict[str, object] = {"message": message, "extensions": extensions}
    if error.locations:
        body["locations"] = [location.formatted for location in error.locations]
    if error.path:
        body["path"] = error.path
    return body


def _message(error: GraphQLError, locale: Locale) -> tuple[str, dict[str, object]]:
    cause = error.original_error
    if isinstance(cause, DomainError):
        return cause.localized(locale), domain_extensions(cause)
    if _is_internal(error):
        log.error("resolver_failed", path=".".join(map(str, error.path or ())), exc_info=cause or error)
        return INTERNAL.in_(locale), {"code": "INTERNAL"}
    message = without_values(error.message)
    message = message if settings.DEBUG else _SUGGESTION.sub("", message)
    return message, {"code": "BAD_USER_INPUT", **(error.extensions or {})}


def _is_internal(error: GraphQLError) -> bool:
    """Return whether the gateway is at fault.

    An error with a path arose during execution. It is internal, unless graphql-core complains about an argument.
    """
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError):
        return True
    return bool(error.path) and not error.message.startswith("Argument ")


def domain_extensions(error: DomainError) -> dict[str, object]:
    """Return the `extensions` of a refusal.

    `code` is the top-level code. `reason` is the refusal's own code, if the two differ. `field` and `retryAfter` are
    there only if the refusal has them.
    """
    code = protocols_of(error).graphql or error.code
    extensions: dict[str, object] = {"code": code}
    if error.code != code:
        extensions["reason"] = error.code
    if field := input_name(error.field):
        extensions["field"] = field
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        extensions["retryAfter"] = retry_after
    return extensions


def body_of_refusal(error: DomainError, locale: Locale) -> dict[str, object]:
    """Return the answer to a request that is refused as a whole."""
    return {"errors": [{"message": error.localized(locale), "extensions": domain_extensions(error)}]}


def body_of_errors(errors: Sequence[GraphQLError], locale: Locale) -> dict[str, object]:
    """Return the answer to a request that was not executed."""
    return {"errors": [error_body(error, locale) for error in errors]}


def body_of(result: ExecutionResult, locale: Locale) -> dict[str, object]:
    """Return the answer to an executed request."""
    body: dict[str, object] = {"data": result.data}
    if result.errors:
        body["errors"] = [error_body(error, locale) for error in result.errors]
    return body
