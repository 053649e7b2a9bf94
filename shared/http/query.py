"""Query parameters: only known ones, each well-formed. Otherwise the answer is 400 and names the parameter."""

from collections.abc import Collection
from datetime import date

from rest_framework.request import Request

from shared.errors import Invalid
from shared.text import Text

PAGE_PARAMETERS = frozenset({"cursor", "limit", "format"})


class UnknownParameter(Invalid):
    """The query has a parameter that this address does not know."""

    text = Text(en="Unknown query parameter: {parameter}.", fr="Paramètre de requête inconnu : {parameter}.")


class BadParameter(Invalid):
    """A query parameter is malformed."""

    text = Text(en="{parameter} is not valid.", fr="{parameter} n’est pas valide.")


def refuse_other_parameters(request: Request, allowed: Collection[str]) -> None:
    """Raise UnknownParameter unless every query parameter is in `allowed` or belongs to a page."""
    for name in request.query_params:
        if name not in allowed and name not in PAGE_PARAMETERS:
            raise UnknownParameter(field=name[:100], parameter=name[:100])


def whole_number(request: Request, name: str, *, minimum: int, maximum: int, default: int) -> int:
    """Return the parameter as a whole number. Raises BadParameter outside `minimum`..`maximum`."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and minimum <= int(text) <= maximum):
        raise BadParameter(field=name, parameter=name)
    return int(text)


def calendar_date(request: Request, name: str) -> date | None:
    """Return the parameter as a date (ISO 8601), or None without it. Raises BadParameter."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        raise BadParameter(field=name, parameter=name) from None
    if parsed.isoformat() != text:
        raise BadParameter(field=name, parameter=name)
    return parsed
