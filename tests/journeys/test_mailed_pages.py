"""Links in mails open pages that need no script: read the page, send its form, read the result."""

import re
import secrets
import uuid
from html import unescape

import httpx
import pytest

from tests.journeys import mails
from tests.journeys.travellers import Traveller

pytestmark = pytest.mark.platform
FORM = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}  # what browsers send from a page without referrer


def fields_of(page: httpx.Response) -> dict[str, str]:
    """Return the hidden fields of the page's form."""
    assert page.status_code == 200, page.text
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', page.text)
    }


def test_the_page_of_the_verification_link_makes_the_account_once() -> None:
    """Opening the page, as programs that check mails do, changes nothing."""
    traveller = Traveller.register(first_name="Zoé", locale="FR", verified=False)
    address = mails.link(mails.wait_for(traveller.email))

    pages = [traveller.http.get(address) for _ in range(2)]
    assert '<html lang="fr">' in pages[0].text
    assert traveller.email in pages[0].text
    assert "Zoé" in pages[0].text
    assert traveller.sign_in_refusals() == ["INVALID_CREDENTIALS"]

    path = httpx.URL(address).path
    used, again = (traveller.http.post(path, data=fields_of(page), headers=FORM) for page in pages)
    assert (used.status_code, again.status_code) == (200, 410)
    traveller.sign_in()
    assert traveller.http.get(address).status_code == 410


def test_the_page_of_the_reset_link_sets_a_new_password() -> None:
    """A refused password does not use the link up. The old password works until the new one is set."""
    traveller = Traveller.register(first_name="Rob")
    ask = "mutation ($email: String!) { requestPasswordReset(email: $email) { ok errors { code } } }"
    asked = traveller.graphql(ask, email=traveller.email).field("requestPasswordReset")
    assert asked == {"ok": True, "errors": []}
    address = mails.link(mails.wait_for(traveller.email, containing="/reset-password?token="))
    path, fields = httpx.URL(address).path, fields_of(traveller.http.get(address))

    weak = traveller.http.post(path, data={**fields, "new_password": "password12"}, headers=FORM)
    assert weak.status_code == 422
    assert 'aria-invalid="true"' in weak.text
    traveller.sign_in()

    password = f"{secrets.token_urlsafe(12)} {uuid.uuid4().hex}"
    done = traveller.http.post(path, data={**fields, "new_password": password}, headers=FORM)
    assert done.status_code == 200
    traveller.token = None  # its session has ended
    assert traveller.sign_in_refusals() == ["INVALID_CREDENTIALS"]
    traveller.password = password
    traveller.sign_in()
    assert traveller.http.post(path, data={**fields, "new_password": password}, headers=FORM).status_code == 410
