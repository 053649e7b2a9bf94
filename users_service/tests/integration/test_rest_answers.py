"""What every REST answer keeps to, whatever the operation."""

import pytest

from users_service.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_write_without_the_last_slash_is_not_found(visitor, settings, method, debug):
    """Seen failing (301, or 500 in DEBUG) with Django's own CommonMiddleware."""
    settings.DEBUG = debug

    answer = visitor.send(method, "profile", {"first_name": "Eve"})

    assert answer.status_code == 404


def test_a_read_without_the_last_slash_is_redirected(visitor):
    answer = visitor.send("GET", "profile")

    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/profile/")


def test_no_browser_or_proxy_keeps_tokens_or_a_profile(visitor, client, published):
    """Seen failing (no header) without the look at the request in the middleware."""
    signed_in = visitor.login(UserFactory().email)
    profile = visitor.send("GET", "profile/", token=signed_in.json()["access_token"])

    assert [answer.get("Cache-Control") for answer in (signed_in, profile)] == ["no-store"] * 2
    assert client.get("/.well-known/jwks.json")["Cache-Control"] == "public, max-age=30"
