"""The pages of mailed links: GET changes nothing, POST uses the link once, and the token stays secret."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.conf import settings
from django.test import override_settings

from contracts.travel.users.v1 import users_pb2 as u
from gateway_service.gateway.pages import forms, texts
from gateway_service.gateway.pages.links import PAGES, LinkPage
from gateway_service.tests.backends import Backends
from gateway_service.tests.page_states import (
    EMAIL,
    FORM,
    METHODS,
    PASSWORD,
    STATES,
    TOKEN,
    State,
    WeakPassword,
    add_link,
    opened,
)
from gateway_service.tests.world import TokenInvalid
from shared.errors import Conflict, DeadlineExceeded
from shared.text import Locale, Text

VERIFY, RESET = PAGES[0], PAGES[1]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
every_locale = pytest.mark.parametrize("locale", list(Locale))


@pytest.fixture(autouse=True)
def _no_counts(valkey: Any) -> None:
    """Every test starts with no form counted."""


def path(page: LinkPage, **query: str) -> str:
    return f"/{page.path}?{urlencode({'token': TOKEN, **query})}"


def uses(backends: Backends) -> list[str]:
    """Return the RPCs that changed something."""
    return [name for name, _, _ in backends.world.requests if name != "DescribeLink"]


@every_locale
@pytest.mark.parametrize("state", STATES, ids=str)
async def test_each_state_is_a_page_in_both_languages(
    client: httpx.AsyncClient, backends: Backends, state: State, locale: Locale
) -> None:
    answer = await opened(client, backends, state, locale)

    assert answer.status_code == state.status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Language"] == locale.lower()
    assert f'<html lang="{locale.lower()}">' in answer.text
    assert uses(backends) == ([METHODS[state.page.path]] if state.posts else [])
    expected = {
        "asked": state.page.texts.title,
        "refused": state.page.texts.title,
        "done": state.page.texts.done_title,
        "gone": texts.GONE.title,
        "used-meanwhile": texts.GONE.title,
        "limited": texts.LIMITED.title,
    }.get(state.name, texts.UNAVAILABLE.title)
    assert f"<h1>{expected.in_(locale)}</h1>" in answer.text
    assert answer.headers.get("Retry-After") == {503: "5", 429: "90"}.get(state.status)


@pytest.mark.parametrize(
    ("locale", "warning"),
    [
        (Locale.EN, "Press the button only if you asked for this yourself. For 7 days the earlier address can take the"
         " account back"),
        (Locale.FR, "N’appuyez sur le bouton que si vous l’avez demandé vous-même. Pendant 7 jours, l’ancienne adresse"
         " peut reprendre le compte"),
    ],
)  # fmt: skip
async def test_whoever_confirms_an_address_learns_first_who_can_take_the_account_back(
    client: httpx.AsyncClient, backends: Backends, locale: Locale, warning: str
) -> None:
    """Somebody else could ask for a reader's address, and later take back an account in which the reader pays.

    Seen failing while the page said only what the button does.
    """
    (page,) = (page for page in PAGES if page.path == "confirm-email-change")
    add_link(backends.world, page, locale=locale)

    assert warning in (await client.get(path(page))).text


@every_page
async def test_get_and_head_change_nothing_however_often(
    client: httpx.AsyncClient, backends: Backends, page: LinkPage
) -> None:
    """Programs that check mails open every link. Seen failing when the page used the link on GET."""
    add_link(backends.world, page)

    answers = [await client.get(path(page)) for _ in range(3)]
    head = await client.head(path(page))

    assert {answer.status_code for answer in (*answers, head)} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert uses(backends) == []


@every_page
async def test_post_uses_the_link_once_for_the_device_of_the_traveller(
    client: httpx.AsyncClient, backends: Backends, page: LinkPage
) -> None:
    add_link(backends.world, page)
    state = State(page, "done", 200, posts=True)

    await client.post(f"/{page.path}", data=state.fields(Locale.EN), headers={**FORM, "User-Agent": "Reader 1"})

    [(method, request, _)] = backends.world.requests
    assert (method, request.token) == (METHODS[page.path], TOKEN)
    assert request.device == u.ClientDevice(ip_address="127.0.0.9", user_agent="Reader 1")
    assert getattr(request, "new_password", "") == (PASSWORD if page is RESET else "")


@every_page
async def test_a_link_of_another_page_is_as_unknown(
    client: httpx.AsyncClient, backends: Backends, page: LinkPage
) -> None:
    """Seen failing (200, with the address) without the comparison of the link's use."""
    for other in PAGES:
        if other is not page:
            add_link(backends.world, other)
            answer = await client.get(path(page))
            assert answer.status_code == 410
            assert EMAIL not in answer.text


@pytest.mark.parametrize(
    "query",
    ["", "token=", "token=a&token=b", f"token={'x' * 201}", "token=a%00b", "token=%ff", "token=%3Cb%3E", "tok=1"],
)
async def test_what_cannot_be_a_token_is_answered_as_a_used_link(
    client: httpx.AsyncClient, backends: Backends, query: str
) -> None:
    answer = await client.get(f"/verify-email?{query}")
    unknown = await client.get("/verify-email?token=unknown")
    posted = await client.post("/verify-email", content=query, headers={**FORM, **_FORM_TYPE})

    assert (answer.status_code, unknown.status_code) == (410, 410)
    assert texts.GONE.title.en in answer.text
    assert posted.status_code in (400, 410)
    assert uses(backends) == []
    assert backends.calls["DescribeLink"] == 1  # only for the token that may exist


async def test_the_page_speaks_the_language_of_the_mail_unless_the_address_names_another(
    client: httpx.AsyncClient, backends: Backends
) -> None:
    add_link(backends.world, VERIFY, locale=Locale.FR)

    async def language(address: str, accepted: str = "en") -> str:
        return (await client.get(address, headers={"Accept-Language": accepted})).headers["Content-Language"]

    assert await language(path(VERIFY)) == "fr"
    assert await language(path(VERIFY, lang="en"), "fr") == "en"
    assert await language(path(VERIFY, lang="tlh")) == "fr"
    assert await language("/verify-email?token=gone", "fr-CA, en;q=0.5") == "fr"
    assert await language("/verify-email?token=gone", "de") == "en"


@every_locale
@pytest.mark.parametrize("state", [state for state in STATES if state.name != "done"], ids=str)
async def test_a_link_leads_to_the_other_language(
    client: httpx.AsyncClient, backends: Backends, state: State, locale: Locale
) -> None:
    other = Locale.FR if locale is Locale.EN else Locale.EN
    answer = await opened(client, backends, state, locale)

    address = f"/{state.page.path}?token={TOKEN}&amp;lang={other.lower()}"
    assert f'<a href="{address}" hreflang="{other.lower()}" lang="{other.lower()}">' in answer.text
    switched = await client.get(address.replace("&amp;", "&"))
    assert switched.headers["Content-Language"] == other.lower()


async def test_a_refused_password_comes_back_beside_the_field_and_the_link_still_works(
    client: httpx.AsyncClient, backends: Backends
) -> None:
    """The reason is in the language of the form. The password is not sent back."""
    add_link(backends.world, RESET, locale=Locale.FR)
    backends.world.refusals["ResetPassword"] = WeakPassword(field="newPassword")
    fields = {"token": TOKEN, "lang": "fr", "new_password": "hunter2hunter2"}

    refused = await client.post("/reset-password", data=fields, headers=FORM)
    backends.world.refusals.clear()
    accepted = await client.post("/reset-password", data={**fields, "new_password": PASSWORD}, headers=FORM)

    assert (refused.status_code, accepted.status_code) == (422, 200)
    assert WeakPassword.text.fr in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert "autofocus" in refused.text
    assert "<title>Erreur : Choisissez un nouveau mot de passe" in refused.text
    assert "hunter2" not in refused.text


async def test_other_refusals_are_shown_and_failures_ask_to_try_again(
    client: httpx.AsyncClient, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    class AddressTaken(Conflict):
        code = "ADDRESS_TAKEN_IN_A_TEST"
        text = Text(en="The address is in use.", fr="L’adresse est utilisée.")

    add_link(backends.world, VERIFY)
    fields = {"token": TOKEN, "lang": "en"}
    answers = []
    for refusal in (AddressTaken(), DeadlineExceeded(), RuntimeError("secret detail"), TokenInvalid()):
        backends.world.refusals["VerifyEmail"] = refusal
        answers.append(await client.post("/verify-email", data=fields, headers=FORM))

    assert [answer.status_code for answer in answers] == [409, 503, 503, 410]
    assert "The address is in use." in answers[0].text
    assert "secret detail" not in answers[2].text


async def test_an_unavailable_service_loses_nothing(
    client: httpx.AsyncClient, backends: Backends, unavailable: Any
) -> None:
    unavailable("users")

    shown = await client.get(path(VERIFY))
    posted = await client.post("/verify-email", data={"token": TOKEN, "lang": "en"}, headers=FORM)

    assert (shown.status_code, posted.status_code) == (503, 503)
    assert shown.headers["Retry-After"] == posted.headers["Retry-After"]
    assert all(f'href="?token={TOKEN}&amp;lang=en"' in answer.text for answer in (shown, posted))


async def test_texts_of_people_are_escaped(client: httpx.AsyncClient, backends: Backends) -> None:
    add_link(backends.world, VERIFY, first_name='<img src=x onerror=alert(1)> & "Zoë"')
    backends.world.links[TOKEN].email = "<b>@example.org"

    answer = await client.get(path(VERIFY))

    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Zoë&quot;" in answer.text
    assert "&lt;b&gt;@example.org" in answer.text
    assert "<img" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("state", STATES, ids=str)
async def test_no_page_keeps_or_passes_on_the_token_or_loads_anything_of_others(
    client: httpx.AsyncClient, backends: Backends, state: State
) -> None:
    headers = (await opened(client, backends, state, Locale.EN)).headers

    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, backends: Backends, method: str) -> None:
    add_link(backends.world, VERIFY)

    answer = await client.request(method, path(VERIFY))

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert backends.calls.total() == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": settings.PUBLIC_URL, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": settings.PUBLIC_URL, "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": settings.PUBLIC_URL}, 200),
        ({}, 200),
    ],
)
async def test_a_form_of_another_origin_is_refused(
    client: httpx.AsyncClient, backends: Backends, headers: dict[str, str], status: int
) -> None:
    """Seen failing (the link was used) without the check of from_own_page."""
    add_link(backends.world, VERIFY)

    answer = await client.post("/verify-email", data={"token": TOKEN, "lang": "en"}, headers=headers)

    assert answer.status_code == status
    assert uses(backends) == (["VerifyEmail"] if status == 200 else [])


_FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (f"token={TOKEN}", {"Content-Type": "text/plain"}, 415),
        (f'{{"token": "{TOKEN}"}}', {"Content-Type": "application/json"}, 415),
        (f"token={TOKEN}", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (f"token={TOKEN}", {"Content-Type": ""}, 415),
        (f"token={TOKEN}&lang=en&lang=fr", _FORM_TYPE, 400),
        (f"token={TOKEN}&token=other", _FORM_TYPE, 400),
        (f"token={TOKEN}&admin=1", _FORM_TYPE, 400),
        (f"token={TOKEN}&lang", _FORM_TYPE, 400),
        (f"token={TOKEN}&lang=%ff", _FORM_TYPE, 400),
        (f"token={TOKEN}&lang=é".encode(), _FORM_TYPE, 400),
        (f"token={TOKEN}&new_password={'x' * forms.MOST_BYTES}", _FORM_TYPE, 413),
        ("", _FORM_TYPE, 410),
    ],
)
async def test_only_a_small_form_with_each_field_once_is_read(
    client: httpx.AsyncClient, backends: Backends, content: Any, headers: dict[str, str], status: int
) -> None:
    """Seen failing (the last of two tokens was used) without the refusal of fields that come twice."""
    add_link(backends.world, VERIFY)

    answer = await client.post("/verify-email", content=content, headers={**FORM, **headers})

    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert uses(backends) == []


async def test_a_form_in_pieces_is_limited_too(client: httpx.AsyncClient, backends: Backends) -> None:
    async def pieces() -> Any:
        for _ in range(20):
            yield b"token=" + b"x" * 1_000

    answer = await client.post("/verify-email", content=pieces(), headers={**FORM, **_FORM_TYPE})

    assert answer.status_code == 413


async def test_the_forms_of_a_network_are_limited(client: httpx.AsyncClient, backends: Backends) -> None:
    """Seen failing (200 for the fourth) without count_form. GET is not counted, so a page stays visible."""
    add_link(backends.world, VERIFY)
    with override_settings(PAGE_LIMIT_NETWORK=3):
        answers = [
            await client.post("/verify-email", data={"token": f"guess{number}", "lang": "en"}, headers=FORM)
            for number in range(4)
        ]
        shown = await client.get(path(VERIFY))
    with override_settings(PAGE_LIMIT_NETWORK=0):
        unlimited = await client.post("/verify-email", data={"token": TOKEN, "lang": "en"}, headers=FORM)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 15 * 60
    assert uses(backends) == ["VerifyEmail"] * 4  # the fake accepts every token
    assert (shown.status_code, unlimited.status_code) == (200, 200)


async def test_forms_are_accepted_while_valkey_is_unavailable(client: httpx.AsyncClient, backends: Backends) -> None:
    add_link(backends.world, VERIFY)
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0", PAGE_LIMIT_NETWORK=1):
        answers = [
            await client.post("/verify-email", data={"token": TOKEN, "lang": "en"}, headers=FORM) for _ in range(2)
        ]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_no_log_has_the_token_or_the_password(
    address: str, backends: Backends, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over a real socket, with answers of every kind. Seen failing when the access log had the whole address."""
    caplog.set_level("DEBUG")
    add_link(backends.world, RESET)
    fields = {"token": TOKEN, "lang": "en", "new_password": PASSWORD}
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        caplog.clear()
        await client.get(path(RESET))
        for refusal in (None, TokenInvalid(), RuntimeError("boom"), WeakPassword(field="newPassword")):
            backends.world.refusals = {} if refusal is None else {"ResetPassword": refusal}
            await client.post("/reset-password", data=fields, headers={"Origin": settings.PUBLIC_URL})
        await client.delete(path(RESET))

    written = capfd.readouterr()
    own = "\n".join(
        [written.out, written.err, *(record.getMessage() for record in caplog.records if record.name != "httpx")]
    )
    assert "/reset-password" in own
    assert TOKEN not in own
    assert PASSWORD not in own
    assert PASSWORD.replace(" ", "+") not in own
