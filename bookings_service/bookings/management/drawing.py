"""The state machines as Mermaid diagrams, drawn from the transition tables themselves, so that a picture cannot be out of date."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bookings_service.bookings.domain.booking import TRANSITIONS, WAITLIST_TRANSITIONS, Status, WaitlistStatus
from bookings_service.payments.domain import (
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    PaymentStatus,
    RefundStatus,
)

Arrow = tuple[str, str, str]  # from, to, by
_BLOCK: Final = "<!-- {name}: drawn by draw_state_machines -->\n```mermaid\n{diagram}```\n<!-- /{name} -->"
_FOUND: Final = re.compile(
    r"<!-- (?P<name>[a-z]+): drawn by draw_state_machines -->\n.*?<!-- /(?P=name) -->", re.DOTALL
)


def diagrams() -> dict[str, str]:
    """Return each state machine's name and its diagram."""
    return {
        "booking": _diagram(Status.PENDING, ((a, b, action) for (a, action), b in TRANSITIONS.items())),
        "payment": _diagram(PaymentStatus.CREATED, _arrows(PAYMENT_TRANSITIONS)),
        "refund": _diagram(RefundStatus.CREATED, _arrows(REFUND_TRANSITIONS)),
        "waitlist": _diagram(WaitlistStatus.WAITING, ((a, b, by) for (a, by), b in WAITLIST_TRANSITIONS.items())),
    }


def redrawn(text: str) -> str:
    """Return a document with each of its marked diagrams drawn anew. Raises KeyError for a name that is no state machine."""
    drawn = diagrams()
    return _FOUND.sub(lambda found: _BLOCK.format(name=found["name"], diagram=drawn[found["name"]]), text)


def drawn_in(text: str) -> set[str]:
    """Return the names of the state machines that a document has a marked place for."""
    return {found["name"] for found in _FOUND.finditer(text)}


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
