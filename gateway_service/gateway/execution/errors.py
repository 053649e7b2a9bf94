"""What goes wrong, as clients are told: a code in `extensions`, a message in their language, nothing of our insides."""

import re
from collections.abc import Sequence
from typing import Any, Final

import structlog
from django.conf import settings
from graphql import ExecutionResult, GraphQLError

from gateway_service.gateway.schema.values import input_name
from shared.errors import DomainError, protocols_of
from shared.text import Locale, Text

INTERNAL: Final = Text(en="Something went wrong on our side.", fr="Une erreur est survenue de notre côté.")
_SUGGESTION: Final = re.compile(r" Did you mean .*\?$", re.DOTALL)

log = structlog.get_logger("gateway")


def formatted(error: GraphQLError, locale: Locale) -> dict[str, Any]:
    """Return one error of an answer."""
    told: dict[str, Any] = {"message": "", "extensions": {}}
    if error.locations:
        told["locations"] = [location.formatted for location in error.locations]
    if error.path:
        told["path"] = error.path
    cause = error.original_error
    if isinstance(cause, DomainError):
        told["message"] = cause.localized(locale)
        told["extensions"] = domain_extensions(cause)
    elif _is_ours(error):
        log.error("resolver failed", path=".".join(map(str, error.path or ())), exc_info=cause or error)
        told["message"], told["extensions"] = INTERNAL.in_(locale), {"code": "INTERNAL"}
    else:
        told["message"] = error.message if settings.DEBUG else _SUGGESTION.sub("", error.message)
        told["extensions"] = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
    return told


def _is_ours(error: GraphQLError) -> bool:
    """Whether the fault is the server's: what fails on a path is, but for an argument left without a value."""
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError):
        return True
    return bool(error.path) and not error.message.startswith("Argument ")


def domain_extensions(error: DomainError) -> dict[str, Any]:
    """Return the `extensions` of a refusal."""
    extensions: dict[str, Any] = {"code": protocols_of(error).graphql or error.code}
    if error.code != extensions["code"]:
        extensions["reason"] = error.code
    if field := input_name(error.field):
        extensions["field"] = field
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        extensions["retryAfter"] = retry_after
    return extensions


def body_of_refusal(error: DomainError, locale: Locale) -> dict[str, Any]:
    """Return the answer to a request that is refused as a whole."""
    return {"errors": [{"message": error.localized(locale), "extensions": domain_extensions(error)}]}


def body_of_errors(errors: Sequence[GraphQLError], locale: Locale) -> dict[str, Any]:
    """Return the answer to a request of which nothing was executed."""
    return {"errors": [formatted(error, locale) for error in errors]}


def body_of(result: ExecutionResult, locale: Locale) -> dict[str, Any]:
    """Return the answer to an executed request."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [formatted(error, locale) for error in result.errors]
    return body
