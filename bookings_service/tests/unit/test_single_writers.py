"""Some fields are written in only one module.

These tests read the source and fail for any other place that writes them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[2]
TRANSITION = "bookings/services/booking/transition.py"
SEATS = "bookings/services/seats/"
CALLERS = {
    "give_back": {f"{SEATS}release.py"},
    # A changed capacity frees seats without a release, and the sweep looks for free seats that were not offered.
    "offer_free_seats": {
        f"{SEATS}release.py", f"{SEATS}follow_departures.py", f"{SEATS}audit.py", f"{SEATS}offering.py",
    },
}  # fmt: skip
SQL_OF_A_WRITE = re.compile(r"(UPDATE|INTO)\s+bookings_booking(event)?\b")
RECORDS_WITH_A_STATUS = {
    "payment",
    "refund",
    "entry",
}  # payments, refunds and waiting-list entries have tables of their own


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Yield each module of the service with its path, tests and migrations left out."""
    for path in sorted(SERVICE.rglob("*.py")):
        name = path.relative_to(SERVICE).as_posix()
        if not name.startswith("tests/") and "/migrations/" not in name:
            yield name, ast.parse(path.read_text())


def writes_of_a_booking(module: ast.Module) -> Iterator[int]:
    """Yield the lines that write a booking's status, reason or sequence, or that make a booking's history entry."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            is_status = node.attr in {"status", "reason"} and owner not in RECORDS_WITH_A_STATUS
            if is_status or (node.attr == "sequence" and owner == "booking"):
                yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_OF_A_WRITE.search(node.value):
            yield node.lineno
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            names = {keyword.arg for keyword in node.keywords}
            makes_history_entry = called == "BookingEvent" or (
                called.startswith("BookingEvent.objects.") and "create" in called
            )
            sets_status = called.startswith("Booking") and called.split(".")[-1] in {"Booking", "create", "update"}
            if makes_history_entry or (sets_status and names & {"status", "reason", "sequence"}):
                yield node.lineno


def test_only_one_module_writes_a_bookings_status_and_entries() -> None:
    """Seen failing after either of two writes was added.

    One was `booking.status = Status.CANCELLED` in expire_holds.py, the other BookingEvent.objects.create in rename.py.
    """
    places = {f"{name}:{line}" for name, module in sources() for line in writes_of_a_booking(module)}

    assert {place for place in places if not place.startswith(TRANSITION)} == set()
    assert len(places) >= 4  # the writes of that module are among them


@pytest.mark.parametrize(
    "statement",
    [
        "booking.status = Status.CANCELLED",
        "row.reason, row.seats = Reason.PAID, 0",
        "booking.sequence += 1",
        "BookingEvent.objects.create(booking=booking)",
        "BookingEvent.objects.bulk_create([])",
        "Booking.objects.filter(id=1).update(status='CANCELLED')",
        "Booking(reference='', status='PENDING')",
        "Statement(bool, 'UPDATE bookings_booking SET seats = 0')",
        "Statement(bool, 'INSERT INTO bookings_bookingevent (note) SELECT 1')",
    ],
)
def test_each_form_of_a_write_is_recognised(statement: str) -> None:
    assert list(writes_of_a_booking(ast.parse(statement)))


def calls(module: ast.Module, name: str) -> bool:
    """Return whether the module calls a function of this name, however it is imported."""
    called = (node.func for node in ast.walk(module) if isinstance(node, ast.Call))
    return any(getattr(function, "attr", getattr(function, "id", "")) == name for function in called)


@pytest.mark.parametrize("function", sorted(CALLERS))
def test_only_these_modules_give_back_or_offer_seats(function: str) -> None:
    """Seats that become free are offered in the same call.

    Seen failing with inventory.give_back added to expire_holds.py.
    """
    assert {name for name, module in sources() if calls(module, function)} == CALLERS[function]


def test_only_one_module_changes_the_status_of_a_waiting_list_entry() -> None:
    """Seen failing with `entry.status = WaitlistStatus.LEFT` added to entries.py."""
    writers = {
        name
        for name, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node) == "entry.status"
    }
    assert writers == {f"{SEATS}waitlist_status.py"}
