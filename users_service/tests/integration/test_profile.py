"""A traveller's own profile: a request changes all of its fields or none, and never a field that is not theirs."""

import pytest

from users_service.accounts import services
from users_service.accounts.contracts import Device
from users_service.accounts.models import Profile, User
from users_service.tests.factories import PASSWORD, UserFactory


@pytest.fixture
def user(published):
    return UserFactory()


@pytest.fixture
def token(user):
    return services.log_in(email=user.email, password=PASSWORD, device=Device("198.51.100.7")).access_token


def test_only_its_owner_sees_a_profile(visitor, user, token):
    shown = visitor.send("GET", "profile/", token=token).json()

    assert (shown["email"], shown["first_name"], shown["email_verified"]) == (user.email, "Ann", True)
    assert visitor.send("GET", "profile/").status_code == 401
    assert visitor.send("GET", "profile/?user=1", token=token).status_code == 400


def test_sent_fields_change_and_publish_an_event(visitor, user, token, events):
    answer = visitor.send("PATCH", "profile/", {"first_name": "Zoë", "phone": "+33 6 12 34 56 78"}, token=token)

    assert (answer.status_code, answer.json()["first_name"], answer.json()["phone"]) == (200, "Zoë", "+33612345678")
    assert answer.json()["last_name"] == "O’Hara"
    assert events() == ["user.link_requested", "user.updated"]


def test_a_request_that_changes_nothing_publishes_no_event(visitor, token, events):
    assert visitor.send("PATCH", "profile/", {"first_name": "Ann"}, token=token).status_code == 200
    assert events() == []


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"first_name": "Ann\u202e"}, "first_name"),
        ({"last_name": "a" * 151}, "last_name"),
        ({"first_name": "<script>alert(1)</script>"}, "first_name"),
        ({"time_zone": "../../etc/localtime"}, "time_zone"),
        ({"currency": "XXX"}, "currency"),
        ({"nationality": "ZZ"}, "nationality"),
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"phone": "12"}, "phone"),
    ],
)
def test_a_bad_field_saves_nothing(visitor, user, token, events, bad, field):
    """Seen failing (the good field saved) when fields were cleaned while they were saved."""
    answer = visitor.send("PATCH", "profile/", {"nationality": "FR", "currency": "CHF", **bad}, token=token)

    assert answer.status_code == 400
    assert field in answer.content.decode()
    profile = Profile.objects.get(user=user)
    assert (profile.nationality, profile.currency, profile.first_name) == ("", "EUR", "Ann")
    assert events() == []


@pytest.mark.parametrize("text", ["Ann\\u0000", "Ann\\ud800"])
def test_characters_that_the_database_cannot_store_are_refused(visitor, user, token, text):
    answer = visitor.send("PATCH", "profile/", f'{{"first_name": "{text}"}}', token=token)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert Profile.objects.get(user=user).first_name == "Ann"


@pytest.mark.parametrize(
    "field", ["is_staff", "is_superuser", "groups", "email_verified", "id", "email", "phone_verified", "version"]
)
def test_a_field_that_is_not_the_travellers_is_named_and_unchanged(visitor, user, token, field):
    before = User.objects.values().get(id=user.id)

    answer = visitor.send("PATCH", "profile/", {field: True, "first_name": "Zoë"}, token=token)

    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert User.objects.values().get(id=user.id) == before
    assert Profile.objects.get(user=user).first_name == "Ann"


def test_the_schema_lists_the_addresses_and_their_security(client):
    schema = client.get("/api/schema/?format=json").json()

    assert schema["openapi"].startswith("3.1")
    assert schema["paths"]["/api/v1/profile/"]["patch"]["security"] == [{"bearer": []}]
    assert set(schema["paths"]) == {
        *(f"/api/v1/profile/{name}" for name in ("", "sessions/", "sessions/{session_id}/", "security-events/")),
        *(f"/api/v1/profile/{name}" for name in ("", "change-password/", "change-email/", "verify-phone/")),
        *(f"/api/v1/auth/{name}/" for name in ("register", "verify-email", "resend-verification", "login", "refresh", "logout")),
        *(f"/api/v1/auth/{name}/" for name in ("request-password-reset", "reset-password", "describe-link")),
        *(f"/api/v1/auth/{name}/" for name in ("confirm-email-change", "undo-email-change", "disown-change")),
    }  # fmt: skip
