"""Draws the transition tables as Mermaid diagrams, so that the diagrams in the documentation are never out of date."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bookings_service.bookings.domain.booking import TRANSITIONS, Status
from bookings_service.bookings.domain.waitlist import WAITLIST_TRANSITIONS, WaitlistStatus
from bookings_service.payments.domain import (
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    PaymentStatus,
    RefundStatus,
)

Arrow = tuple[str, str, str]  # from, to, by
_BLOCK: Final = "<!-- {name}: drawn by draw_state_machines -->\n```mermaid\n{diagram}```\n<!-- /{name} -->"
_MARKED: Final = re.compile(
    r"<!-- (?P<name>[a-z]+): drawn by draw_state_machines -->\n.*?<!-- /(?P=name) -->", re.DOTALL
)


def diagrams() -> dict[str, str]:
    """Return the diagram of each state machine by its name."""
    return {
        "booking": _diagram(Status.PENDING, ((a, b, action) for (a, action), b in TRANSITIONS.items())),
        "payment": _diagram(PaymentStatus.CREATED, _arrows(PAYMENT_TRANSITIONS)),
        "refund": _diagram(RefundStatus.CREATED, _arrows(REFUND_TRANSITIONS)),
        "waitlist": _diagram(WaitlistStatus.WAITING, ((a, b, by) for (a, by), b in WAITLIST_TRANSITIONS.items())),
    }


def redrawn(text: str) -> str:
    """Return the document with each marked diagram drawn again. Raises KeyError for an unknown state machine."""
    drawn = diagrams()
    return _MARKED.sub(lambda match: _BLOCK.format(name=match["name"], diagram=drawn[match["name"]]), text)


def drawn_in(text: str) -> set[str]:
    """Return the names of the state machines that the document marks a place for."""
    return {match["name"] for match in _MARKED.finditer(text)}


def _arrows(
    table: Mapping[PaymentStatus, frozenset[PaymentStatus]] | Mapping[RefundStatus, frozenset[RefundStatus]],
) -> list[Arrow]:
    return [(source, target, "") for source, targets in table.items() for target in sorted(targets)]


def _diagram(first: str, arrows: Iterable[Arrow]) -> str:
    lines = [f"    {source} --> {target}{f': {by}' if by else ''}" for source, target, by in arrows]
    ends = {line.split()[2].rstrip(":") for line in lines} - {line.split()[0] for line in lines}
    return "\n".join(
        ["stateDiagram-v2", f"    [*] --> {first}", *lines, *sorted(f"    {end} --> [*]" for end in ends), ""]
    )
