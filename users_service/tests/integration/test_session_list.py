"""The owner's list of signed-in devices: only open sessions, and only their own can be ended."""

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.outbox.models import OutboxEvent
from users_service.accounts import services
from users_service.accounts.contracts import Device
from users_service.accounts.models import AuditEntry, Session
from users_service.tests.factories import PASSWORD, UserFactory

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
HERE = Device("198.51.100.7", FIREFOX)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]


def sign_in(user, device=HERE):
    return services.log_in(email=user.email, password=PASSWORD, device=device)


def newest_session(user):
    return Session.objects.filter(user=user).order_by("-id").first()


def test_open_sessions_are_listed_last_used_first(visitor):
    user = UserFactory()
    first, second = sign_in(user), sign_in(user, Device("2001:db8::7", "x"))
    services.refresh(refresh_token=first.refresh_token, device=HERE)
    sign_in(UserFactory())

    listed = visitor.send("GET", "profile/sessions/", token=second.access_token).json()

    assert [(row["device"], row["ip_address"], row["user_agent"], row["current"]) for row in listed] == [
        ("Firefox on Linux", "198.51.100.7", FIREFOX, False),
        ("", "2001:db8::7", "x", True),
    ]
    assert listed[0]["last_used_at"] > listed[0]["created_at"]


def test_ended_and_expired_sessions_are_not_listed(visitor):
    """Seen failing (three sessions) without each of the two conditions."""
    user = UserFactory()
    sign_in(user)
    Session.objects.update(revoked_at="2026-01-01T00:00Z")
    expired = sign_in(user)
    Session.objects.filter(revoked_at=None).update(expires_at="2026-01-01T00:00Z")
    token = sign_in(user).access_token

    [only] = visitor.send("GET", "profile/sessions/", token=token).json()

    assert only["current"]
    assert expired.access_token != token


def test_an_owner_ends_another_session_or_their_own(visitor, events):
    user = UserFactory()
    other = sign_in(user)
    other_id = newest_session(user).id
    this = sign_in(user)
    this_id = newest_session(user).id

    assert visitor.send("DELETE", f"profile/sessions/{other_id}/", token=this.access_token).status_code == 204
    assert visitor.refresh(other.refresh_token).json()["code"] == "TOKEN_INVALID"
    assert visitor.send("DELETE", f"profile/sessions/{this_id}/", token=this.access_token).status_code == 204
    assert visitor.refresh(this.refresh_token).json()["code"] == "TOKEN_INVALID"

    assert events() == ["user.session_revoked"] * 2, "no mail"
    assert all("SESSION_REVOKED_REASON_REVOKED" in event.value for event in OutboxEvent.objects.all())
    assert AuditEntry.objects.filter(user_id=user.id, action="session_revoked").count() == 2


def test_a_foreign_an_ended_and_an_unknown_session_are_alike_not_found(visitor, events):
    """Seen failing (204, and the stranger signed out) without the account in the query."""
    user, stranger = UserFactory(), UserFactory()
    theirs = sign_in(stranger)
    sign_in(user)
    ended = newest_session(user)
    Session.objects.filter(id=ended.id).update(revoked_at="2026-01-01T00:00Z")
    token = sign_in(user).access_token

    answers = [
        visitor.send("DELETE", f"profile/sessions/{session_id}/", token=token)
        for session_id in (newest_session(stranger).id, ended.id, uuid4())
    ]

    problems = [{k: v for k, v in answer.json().items() if k not in {"request_id", "instance"}} for answer in answers]
    assert problems == [problems[0]] * 3
    assert (answers[0].status_code, problems[0]["code"]) == (404, "NOT_FOUND")
    assert visitor.send("DELETE", "profile/sessions/x/", token=token).status_code == 404
    assert visitor.refresh(theirs.refresh_token).status_code == 200
    assert events() == []


@pytest.mark.parametrize(("method", "path"), [("GET", "profile/sessions/"), ("DELETE", f"profile/sessions/{uuid4()}/")])
def test_sessions_need_a_token(visitor, method, path):
    assert visitor.send(method, path).status_code == 401


def test_the_event_of_an_ended_session_tells_when_its_last_access_token_ends(settings):
    """Seen failing (a later token was forgotten too early) when only the time of ending counted."""
    user = UserFactory()
    sign_in(user)
    session = newest_session(user)
    later = session.rotated_at + timedelta(seconds=2)  # a refresh that committed while the lock was waited for
    Session.objects.filter(id=session.id).update(rotated_at=later)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("users_service.accounts.services.sessions.clock_now", lambda: session.rotated_at)
        services.revoke_session(user_id=user.id, session_id=session.id, device=HERE)

    until = later + settings.ACCESS_TOKEN_LIFETIME + settings.TOKEN_LEEWAY
    [event] = OutboxEvent.objects.all()
    assert f"{until:%Y-%m-%dT%H:%M:%S}" in event.value
