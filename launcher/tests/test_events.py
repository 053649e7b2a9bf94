"""What `status` and `doctor` say about events, mails and SMS."""

import json

import psycopg
import pytest

from launcher import event_state
from launcher.commands import doctor_events, manage
from launcher.commands.doctor import doctor
from launcher.commands.status import print_status
from launcher.event_state import State
from launcher.platform import Platform
from shared.backlog import Backlog, Inbox, Messages, Outbox, Skipped, Stopped, Unsent

NOTHING = Outbox(waiting=0, oldest_seconds=0.0, set_aside=0, behind=0)
KNOWN = "travel.bookings.booking.confirmed.v1"
LETTER = """
    INSERT INTO inbox_deadletter
        (consumer, topic, partition, "offset", key, event_id, event_type, headers, status, fault, cause, attempts,
         resolved_by)
    VALUES ('notifications', 't', 0, %s, %s, '', 'e', '[]', %s, '', 'refused', 5, '')
"""


def inbox(**fields: object) -> Inbox:
    """Return an inbox in which nothing waits, except `fields`."""
    numbers = dict.fromkeys(("dead", "parked", "braked", "retrying"), 0)
    return Inbox(**{**numbers, "braked_types": (), "skipped_types": (), **fields})  # type: ignore[arg-type]


def findings(*, to_read: int | None = 0, **fields: object) -> list[tuple[str, str]]:
    """Return what `doctor` finds in notifications if only `fields` differ from an empty backlog."""
    parts = {"outbox": NOTHING, "inbox": inbox(), "messages": Messages(), **fields}
    return list(doctor_events.findings("notifications", State(backlog=Backlog(**parts), to_read=to_read)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def migrated(running: Platform) -> Platform:
    """A platform whose notifications database is migrated."""
    assert manage.run(running, "notifications", "migrate", "--verbosity", "0") == 0
    return running


def test_doctor_and_status_name_six_dead_letters_and_a_parked_event(
    migrated: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen failing ("✓ topics" was the last line, and neither was named) without the check of events."""
    url = event_state.database_urls(migrated, external=False)["notifications"]
    with psycopg.connect(url) as connection:
        for number in range(6):
            connection.execute(LETTER, [number, f"key {number}", "DEAD"])
        connection.execute(LETTER, [6, "key 0", "PARKED"])

    assert doctor(migrated) == 1
    printed = capsys.readouterr().out
    assert "notifications has 6 dead letters, and 1 event parked." in printed
    assert "Type: ./manage_all.py manage notifications dlq_retry\n" in printed

    print_status(migrated, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["events"]["notifications"]["inbox"]["dead"] == 6
    assert shown["events"]["notifications"]["inbox"]["parked"] == 1
    assert {"name", "pid", "state", "url", "restarts"} <= set(shown["processes"][0])
    assert '"pid"' not in json.dumps(shown["events"])


def test_a_database_that_is_away_is_a_finding(migrated: Platform) -> None:
    gone = event_state.database_urls(migrated, external=False)["notifications"].replace("/notifications", "/nowhere")

    state = State(backlog=event_state.backlog_of(gone), to_read=None)

    assert list(doctor_events.findings("notifications", state)) == [
        ("The database of notifications does not answer.", "./manage_all.py logs notifications")
    ]


def test_an_empty_backlog_is_well() -> None:
    assert findings() == []


def test_a_late_consumer_and_events_set_aside_are_found() -> None:
    aside = Outbox(waiting=0, oldest_seconds=0.0, set_aside=1, behind=2)

    assert findings(to_read=1_000) == []
    assert findings(to_read=1_001, outbox=aside) == [
        (
            "notifications has 1 event that cannot be sent, and 2 events behind them.",
            "./manage_all.py manage notifications outbox_doctor",
        ),
        ("notifications.consumer has 1,001 records to read.", "./manage_all.py logs notifications.consumer"),
    ]


def test_a_paused_channel_and_an_old_mail_are_found() -> None:
    paused = (Stopped(name="EMAIL", cause="535 wrong password", seconds=300.0),)
    unsent = {"EMAIL": Unsent(count=12, oldest_seconds=1_200.0), "SMS": Unsent(count=1, oldest_seconds=60.0)}

    assert [wrong for wrong, _ in findings(messages=Messages(unsent=unsent, paused=paused))] == [
        "notifications sends nothing over EMAIL for 5 min: 535 wrong password",
        "notifications has 12 unsent mail, the oldest for 20 min.",
    ]


def test_a_braked_type_is_found() -> None:
    braked = (Stopped(name="a.v1", cause="no room", seconds=60.0),)

    assert findings(inbox=inbox(braked_types=braked)) == [
        (
            "notifications holds the events of type a.v1 back for 1 min: no room",
            "./manage_all.py logs notifications.consumer",
        )
    ]


def test_skipped_events_are_found_once_their_type_is_known() -> None:
    """Before that, this release has nothing to do with them."""
    times = {"count": 3, "first": "2026-12-01T00:00:00Z", "last": "2026-12-01T01:00:00Z"}
    skipped = tuple(Skipped(type=name, **times) for name in (KNOWN, "travel.bookings.booking.sold.v9"))  # type: ignore[arg-type]

    ((wrong, remedy),) = findings(inbox=inbox(skipped_types=skipped))

    assert wrong.startswith(f"3 events of type {KNOWN} were skipped by a release of notifications")
    assert remedy == (
        f"./manage_all.py manage notifications replay_events --type {KNOWN}"
        " --from 2026-12-01T00:00:00Z --to 2026-12-01T01:00:00Z"
    )


def test_the_table_of_status_is_short() -> None:
    """A service without a part has an empty cell, and a database that is away a question mark."""
    messages = Messages(unsent={"EMAIL": Unsent(2, 40.0)}, paused=(Stopped(name="EMAIL", cause="x", seconds=1.0),))
    full = Backlog(outbox=Outbox(1_200, 3.0, 0, 0), inbox=inbox(dead=6, parked=1), messages=messages)

    assert State(full, 7).cells() == ("1,200, 3 s", "–", "7", "6", "1", "–", "–", "paused, 2, 40 s", "–")
    assert State(Backlog(NOTHING, None, None), None).cells() == ("–", "–", "", "", "", "", "", "", "")
    assert State(None, None).cells()[:3] == ("?", "?", "")
