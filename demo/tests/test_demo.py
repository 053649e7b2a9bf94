"""The demo without a platform: its operations fit the contract, and it understands answers, mails and updates."""

import json
import os
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from threading import Thread

import httpx
import pytest
from graphql import build_schema, parse, validate
from rich.console import Console
from websockets.sync.server import ServerConnection, serve

from demo import DemoEnvironment, documents, live, run
from demo.api import REFRESH, Api, judge, retry_after, value_at
from demo.failure import DemoFailed
from demo.journey import credit_note, local_time, money, shown_with
from demo.live import LiveBooking, Update, update_of
from demo.mailbox import Mailbox
from demo.narration import duration

ROOT = Path(__file__).parents[2]
FRAGMENTS = {"ERRORS", "MONEY"}
OPERATIONS = {name: text for name, text in vars(documents).items() if name.isupper() and name not in FRAGMENTS}


@pytest.mark.parametrize("document", [*OPERATIONS.values(), live.DOCUMENT, REFRESH])
def test_every_operation_fits_the_public_contract(document):
    schema = build_schema((ROOT / "gateway_service" / "contract.graphql").read_text(encoding="utf-8"))

    assert validate(schema, parse(document)) == []


def put(folder: Path, name: str, message: EmailMessage, arrived: float) -> None:
    (folder / "new").mkdir(parents=True, exist_ok=True)
    path = folder / "new" / name
    path.write_bytes(message.as_bytes())
    os.utime(path, (arrived, arrived))


def mail(to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["To"], message["Subject"], message["From"] = to, subject, "Travel <hello@travel.example>"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    return message


def test_a_mail_is_read_only_for_its_recipient_and_with_its_files(tmp_path):
    confirmation = mail("Ada <ada@demo.example>", "Confirmed: ABCD2345", "See you.")
    confirmation.add_attachment(b"%PDF-1.7 ...", maintype="application", subtype="pdf", filename="../../invoice.pdf")
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    confirmation.add_attachment(calendar, subtype="calendar", filename="trip.ics")
    put(tmp_path, "2", confirmation, 200.0)
    put(
        tmp_path,
        "1",
        mail("ada@demo.example", "Welcome", "Open http://localhost:8000/verify?token=abc-DEF_1 please."),
        100.0,
    )
    put(tmp_path, "3", mail("bob@demo.example", "Welcome", "http://localhost:8000/verify?token=other"), 50.0)

    first, second = Mailbox(tmp_path).mails("ADA@demo.example")

    assert (first.token(), first.attachments, first.calendar_method()) == ("abc-DEF_1", (), None)
    assert (second.subject, second.arrived, second.calendar_method()) == ("Confirmed: ABCD2345", 200.0, "REQUEST")
    assert [file.name for file in second.attachments] == ["invoice.pdf", "trip.ics"]
    assert second.attachments[0].content == b"%PDF-1.7 ..."
    assert credit_note(second, "ABCD2345", invoices=set())
    assert not credit_note(second, "ABCD2345", invoices={b"%PDF-1.7 ..."})


def test_a_missing_mail_is_named(tmp_path):
    with pytest.raises(DemoFailed, match="the verification mail did not come within 0 s"):
        Mailbox(tmp_path).wait("ada@demo.example", "the verification mail", lambda _: True, patience=0.05)


@pytest.mark.parametrize(
    ("answer", "needs", "code"),
    [
        ({"data": {"quote": {"id": "1", "errors": []}}}, None, None),
        (
            {"data": {"quote": {"errors": [{"code": "SEATS_UNAVAILABLE", "message": "2 left"}]}}},
            None,
            "SEATS_UNAVAILABLE",
        ),
        (
            {"data": {"me": None}, "errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]},
            None,
            "UNAUTHENTICATED",
        ),
        ({"data": None, "errors": [{"message": "no"}]}, None, "INTERNAL"),
        ({"data": {"me": {"profile": None}}}, "profile", "UPSTREAM_UNAVAILABLE"),
        ({"data": {"me": {"profile": {"firstName": "Ada"}}}}, "profile", None),
    ],
)
def test_an_answer_is_judged_by_its_refusals_and_its_needed_field(answer, needs, code):
    assert judge(answer, needs)[1] == code


def test_a_path_reaches_through_objects_and_lists():
    value = {"edges": [{"node": {"seats": 4}}]}

    assert [value_at(value, path) for path in ("edges.0.node.seats", "edges.1.node", "edges.0.other")] == [
        4,
        None,
        None,
    ]


def test_an_answer_may_ask_the_client_to_wait():
    assert retry_after({"errors": [{"extensions": {"retryAfter": 3}}]}) == 3
    assert retry_after({"data": {"pay": {"errors": [{"params": {"retryAfter": 1}}]}}}) == 1
    assert retry_after({"data": {"pay": {"errors": []}}}) == 0


def api_that_answers(*answers: httpx.Response | Exception) -> tuple[Api, list[httpx.Request], list[str]]:
    waiting, requests, notices = list(answers), [], []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        now = waiting.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    api = Api("http://gateway", notice=notices.append, transport=httpx.MockTransport(answer))
    api.answered = True
    return api, requests, notices


def test_a_temporary_problem_repeats_the_same_request(monkeypatch):
    monkeypatch.setattr("demo.api.PAUSE_SECONDS", 0)
    away = {"data": {"pay": {"errors": [{"code": "UPSTREAM_UNAVAILABLE", "message": "users_service is unavailable"}]}}}
    api, requests, notices = api_that_answers(
        httpx.ConnectError("refused"),
        httpx.Response(503),
        httpx.Response(200, json=away),
        httpx.Response(200, json={"data": {"pay": {"ok": True}}}),
    )

    assert api.call("mutation { pay { ok } }", {"key": "k1"}) == {"ok": True}
    assert len({request.content for request in requests}) == 1
    assert len(notices) == 3


def test_a_refusal_ends_the_call_and_names_its_code():
    refused = {"data": {"pay": {"errors": [{"code": "QUOTE_USED", "message": "This quote was used."}]}}}
    api, requests, _ = api_that_answers(httpx.Response(200, json=refused))

    with pytest.raises(DemoFailed, match=r"^QUOTE_USED: This quote was used\.$"):
        api.call("mutation { pay { ok } }")
    assert len(requests) == 1


def test_an_expired_token_is_renewed_once():
    expired = httpx.Response(401, json={"errors": [{"message": "Sign in.", "extensions": {"code": "UNAUTHENTICATED"}}]})
    tokens = {"data": {"refreshTokens": {"accessToken": "a2", "refreshToken": "r2", "errors": []}}}
    api, requests, _ = api_that_answers(
        expired, httpx.Response(200, json=tokens), httpx.Response(200, json={"data": {"me": {"email": "a@b"}}})
    )
    api.access_token, api.refresh_token = "a1", "r1"

    assert api.call("{ me { email } }") == {"email": "a@b"}
    assert [request.headers.get("authorization") for request in requests] == ["Bearer a1", None, "Bearer a2"]
    assert json.loads(requests[1].content)["variables"] == {"token": "r1"}


def pushed(sequence: int) -> dict:
    event = {"sequence": sequence, "type": "booking.created", "status": "PENDING", "reason": "HELD"}
    return {"event": {**event, "at": "2026-11-23T10:00:00Z", "message": "Seats held."}, "booking": {}}


def follower(updates: list[Update]) -> LiveBooking:
    return LiveBooking(
        gateway_url="https://travel.example",
        token=lambda: "t",
        renew=lambda: None,
        reference="ABCD2345",
        after=0,
        on_update=updates.append,
        notice=print,
    )


def test_updates_come_in_order_and_a_gap_or_a_repetition_fails():
    updates: list[Update] = []
    following = follower(updates)
    following._take(update_of(pushed(1)))
    following._take(update_of(pushed(2)))

    with pytest.raises(DemoFailed, match="event 2 was pushed twice"):
        following._take(update_of(pushed(2)))
    with pytest.raises(DemoFailed, match="event 3 was never pushed"):
        following._take(update_of(pushed(4)))
    assert [update.sequence for update in updates] == [1, 2]
    assert following.url == "wss://travel.example/graphql"


@pytest.fixture
def broken_feed():
    """Serve graphql-transport-ws.

    The first connection pushes events 1 and 2 and breaks; later connections push the next events.
    """
    subscribed: list[dict] = []

    def handle(socket: ServerConnection) -> None:
        assert json.loads(socket.recv())["payload"] == {"authorization": "Bearer t"}
        socket.send(json.dumps({"type": "connection_ack"}))
        subscribed.append(json.loads(socket.recv())["payload"]["variables"])
        after = subscribed[-1]["after"]
        for sequence in range(after + 1, after + 3):
            data = {"bookingUpdated": pushed(sequence)}
            socket.send(json.dumps({"id": "1", "type": "next", "payload": {"data": data}}))
        if len(subscribed) == 1:
            socket.close(1012)
        else:
            socket.recv()

    with serve(handle, "127.0.0.1", 0, subprotocols=[live.PROTOCOL]) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", subscribed
        server.shutdown()
        thread.join()


def test_a_new_connection_continues_after_the_last_event(broken_feed, monkeypatch):
    monkeypatch.setattr("demo.live.PAUSE_SECONDS", 0.01)
    url, subscribed = broken_feed
    updates: list[Update] = []
    notices: list[str] = []

    with LiveBooking(
        gateway_url=url,
        token=lambda: "t",
        renew=lambda: None,
        reference="ABCD2345",
        after=0,
        on_update=updates.append,
        notice=notices.append,
    ) as following:
        following.wait("the fourth event", lambda update: update.sequence == 4, patience=5)

    assert [update.sequence for update in updates] == [1, 2, 3, 4]
    assert [variables["after"] for variables in subscribed] == [0, 2]
    assert notices == ["the live connection ended (1012); connecting again after event 2"]


def test_amounts_times_and_durations_are_printed_for_people():
    assert money({"amount": "418000.00", "currency": "JPY"}) == "JPY 418,000"
    assert money({"amount": "12.5", "currency": "EUR"}) == "EUR 12.50"
    assert shown_with({"amount": "1", "currency": "JPY"}, None) == "JPY 1"
    assert local_time("2027-04-01T00:30:00Z", "Asia/Tokyo") == "Thu 01 Apr 2027, 09:30 (Asia/Tokyo)"
    assert (duration(0.0412), duration(2.34)) == ("41 ms", "2.3 s")


def test_without_a_platform_the_demo_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setattr("demo.api.FIRST_ANSWER_SECONDS", 0)
    monkeypatch.setattr("demo.api.PAUSE_SECONDS", 0)
    screen = StringIO()

    code = run(DemoEnvironment("http://127.0.0.1:9", tmp_path, tmp_path), Console(file=screen, width=200))

    assert code == 1
    assert "Is the platform up? Type: ./manage_all.py up" in screen.getvalue().splitlines()[-1]
