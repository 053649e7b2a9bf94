"""The demo's staff: what they send to the admin, and what they report if it refuses."""

import base64
from urllib.parse import parse_qs

import httpx
import pytest

from demo.api import Api
from demo.failure import DemoFailed
from demo.staff import ADDING, Staff

TRIP = base64.b64encode(b"Trip:01a208f9-940e-7747-a571-eb609d17d12d").decode()
MADE = "01a208fc-164e-76f5-9477-3c3c2b2d9456"
FORM = '<form><input type="hidden" name="csrfmiddlewaretoken" value="t0ken"></form>'


def staff(*answers: httpx.Response) -> tuple[Staff, list[httpx.Request]]:
    waiting, requests = iter(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return next(waiting)

    return Staff("a@travel.example", "secret", "http://catalogue", httpx.MockTransport(answer)), requests


def test_a_departure_is_scheduled_by_the_admins_own_form():
    sign_in, added = (
        httpx.Response(302, headers={"location": to}) for to in (ADDING, f"/admin/departure/{MADE}/change/")
    )
    person, requests = staff(httpx.Response(200, text=FORM), sign_in, httpx.Response(200, text=FORM), added)

    made = person.schedule(TRIP, days=4, seats=4)

    typed = {name: values[0] for name, values in parse_qs(requests[-1].content.decode()).items()}
    assert base64.b64decode(made).decode() == f"Departure:{MADE}"
    assert [(request.method, request.url.path) for request in requests] == [
        ("GET", ADDING), ("POST", ADDING), ("GET", ADDING), ("POST", ADDING),
    ]  # fmt: skip
    assert (typed["trip"], typed["capacity"], typed["csrfmiddlewaretoken"]) == (
        "01a208f9-940e-7747-a571-eb609d17d12d", "4", "t0ken",
    )  # fmt: skip
    assert typed["starts_at_1"][2:] == typed["ends_at_1"][2:]  # an hour later, three days after


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([httpx.Response(503, text="busy")], "the admin answered 503 without a form"),
        (
            [httpx.Response(200, text=FORM), httpx.Response(200), httpx.Response(302)],
            "the admin answered 302 without a form; is the sign-in right",
        ),
        (
            [httpx.Response(200, text=FORM), httpx.Response(302), *[httpx.Response(200, text=FORM)] * 2],
            "the admin did not schedule the departure: it answered 200",
        ),
    ],
)
def test_a_refusal_of_the_admin_is_reported(answers, message):
    person, _ = staff(*answers)

    with pytest.raises(DemoFailed, match=message):
        person.schedule(TRIP, days=4, seats=4)


def test_a_cancellation_is_authenticated_and_its_refusal_is_reported():
    person, requests = staff(httpx.Response(200), httpx.Response(403, text="Editors only."))
    tokens = {"data": {"login": {"accessToken": "a1", "refreshToken": "r1", "errors": []}}}
    departure = base64.b64encode(f"Departure:{MADE}".encode()).decode()
    api = Api("http://gateway", notice=print, transport=httpx.MockTransport(lambda _: httpx.Response(200, json=tokens)))

    person.cancel(departure, api=api)

    assert (requests[0].method, requests[0].url.path) == ("PATCH", f"/api/v1/departures/{MADE}/")
    assert (requests[0].content, requests[0].headers["authorization"]) == (b'{"status":"CANCELLED"}', "Bearer a1")
    with pytest.raises(DemoFailed, match="the catalogue answered 403: Editors only"):
        person.cancel(departure, api=api)
