"""Errors as clients see them: a code in `extensions`, a text in the client's language, no internal detail."""

import re
from collections.abc import Sequence
from typing import Final

import structlog
from django.conf import settings
from graphql import ExecutionResult, GraphQLError

from gateway_service.gateway.ids import input_name
from shared.errors import DomainError, protocols_of
from shared.text import Locale, Text

INTERNAL: Final = Text(en="Something went wrong on our side.", fr="Une erreur est survenue de notre côté.")
_SUGGESTION: Final = re.compile(r" Did you mean .*\?$", re.DOTALL)

log = structlog.get_logger(__name__)


def formatted(error: GraphQLError, locale: Locale) -> dict[str, object]:
    """Return one error of an answer. If it is internal, log it and hide its text."""
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
    message = error.message if settings.DEBUG else _SUGGESTION.sub("", error.message)
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
    """Return the `extensions` of a refusal: its top-level code, its own code if that differs, field and retryAfter."""
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
    return {"errors": [formatted(error, locale) for error in errors]}


def body_of(result: ExecutionResult, locale: Locale) -> dict[str, object]:
    """Return the answer to an executed request."""
    body: dict[str, object] = {"data": result.data}
    if result.errors:
        body["errors"] = [formatted(error, locale) for error in result.errors]
    return body
