"""The diagrams of the state machines are drawn from the transition tables."""

import pytest
from django.core.management import CommandError, call_command

from bookings_service.bookings.management import drawing
from bookings_service.bookings.management.commands.draw_state_machines import DOCUMENT
from bookings_service.bookings.management.drawing import diagrams, drawn_in, redrawn


def test_the_documentation_shows_every_state_machine() -> None:
    """Seen failing with a row taken out of WAITLIST_TRANSITIONS."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert drawn_in(text) == set(diagrams())
    assert redrawn(text) == text


def test_a_diagram_shows_its_table() -> None:
    assert diagrams()["booking"] == (
        "stateDiagram-v2\n"
        "    [*] --> PENDING\n"
        "    PENDING --> CONFIRMED: PAY\n"
        "    PENDING --> CANCELLED: EXPIRE\n"
        "    PENDING --> CANCELLED: CANCEL\n"
        "    CONFIRMED --> CONFIRMED: CANCEL_PASSENGERS\n"
        "    CONFIRMED --> CANCELLED: CANCEL\n"
        "    CANCELLED --> CONFIRMED: PAY_LATE\n"
    )


def test_the_check_fails_on_an_outdated_diagram(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "bookings.md"
    page.write_text("<!-- refund: drawn by draw_state_machines -->\nold\n<!-- /refund -->\n")
    monkeypatch.setattr("bookings_service.bookings.management.commands.draw_state_machines.DOCUMENT", page)

    with pytest.raises(CommandError, match="out of date"):
        call_command("draw_state_machines", "--check")
    assert "old" in page.read_text()
    call_command("draw_state_machines")
    assert drawing.diagrams()["refund"] in page.read_text()
    call_command("draw_state_machines", "--check")
