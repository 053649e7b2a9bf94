"""Staff change their own password in the admin of accounts: with the rules, limits and mail of every other change."""

from threading import BoundedSemaphore

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from users_service.accounts import passwords, services
from users_service.accounts.contracts import Device
from users_service.accounts.models import AuditEntry, Session, User
from users_service.tests.conftest import audited, newest_token, open_session, purposes
from users_service.tests.factories import PASSWORD

NEW = "seven grey herons 58"


@pytest.fixture
def staff(db, monkeypatch) -> User:
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    call_command("seed")
    return User.objects.get(email="admin@travel.example")


@pytest.fixture
def browser(staff) -> Client:
    browser = Client(REMOTE_ADDR="198.51.100.7", headers={"user-agent": "a browser"})
    browser.post("/admin/login/?next=/admin/", {"username": staff.email, "password": PASSWORD})
    return browser


def change(browser: Client, current: str = PASSWORD, new: str = NEW, again: str | None = None):
    again = new if again is None else again
    form = {"old_password": current, "new_password1": new, "new_password2": again}
    return browser.post("/admin/password_change/", form)


def is_changed(staff: User) -> bool:
    return User.objects.get(id=staff.id).password != staff.password


def test_a_change_is_mailed_and_ends_every_session_but_this_of_the_admin(staff, browser, visitor):
    """Seen failing (no mail) with Django's view."""
    open_session(staff)
    other = Client()
    other.force_login(staff)

    answer = change(browser)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/password_change/done/")
    assert [client.get("/admin/").status_code for client in (browser, other)] == [200, 302]
    assert [visitor.login(staff.email, password).status_code for password in (PASSWORD, NEW)] == [401, 200]
    assert purposes() == ["PASSWORD_CHANGED"]
    assert Session.objects.filter(revoked_at=None).count() == 1, "only the new one"
    entry = AuditEntry.objects.get(action="password_changed")
    assert (entry.user_id, entry.ip_address, entry.user_agent) == (staff.id, "198.51.100.7", "a browser")
    services.disown_change(token=newest_token("PASSWORD_CHANGED"), device=Device("198.51.100.7"))


@pytest.mark.parametrize("weak", ["1", "short-1!", "password123", "admin@travel.example", "x" * 129])
def test_a_weak_password_is_refused(staff, browser, weak):
    """Seen failing (changed to "1") without the form's validators and check_new_password."""
    answer = change(browser, new=weak)

    assert answer.status_code == 200
    assert "10 to 128 characters" in answer.context["form"].errors["new_password2"][0]
    assert (is_changed(staff), purposes()) == (False, [])


def test_a_wrong_password_is_refused_counted_and_in_the_audit_log(staff, browser):
    """Seen failing (changed after ten guesses) with Django's view."""
    for _ in range(10):
        answer = change(browser, current="wrong")
        assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["old_password"])
    limited = change(browser)

    assert (limited.status_code, list(limited.context["form"].errors)) == (200, ["__all__"])
    assert (is_changed(staff), purposes()) == (False, [])
    assert audited().count("password_change_refused") == 10


def test_the_form_says_if_every_place_for_a_hash_is_taken(staff, browser, monkeypatch):
    """Seen failing (changed, beyond the limit of hashes) with Django's view."""
    monkeypatch.setattr(passwords, "_places", lambda: BoundedSemaphore(0))

    answer = change(browser)

    assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["__all__"])
    assert not is_changed(staff)


@pytest.mark.parametrize("forms", [("", NEW, NEW), (PASSWORD, "", ""), (PASSWORD, NEW, "another")])
def test_an_incomplete_form_changes_nothing(staff, browser, forms):
    answer = change(browser, *forms)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not is_changed(staff)


def test_only_staff_who_are_signed_in_get_the_page(staff):
    assert change(Client()).status_code == 302
    assert not is_changed(staff)


def test_no_other_page_of_the_admin_sets_a_password():
    """Such a page would set one without its owner."""
    names = {name for name in get_resolver().namespace_dict["admin"][1].reverse_dict if isinstance(name, str)}

    assert {name for name in names if "password" in name} == {"password_change", "password_change_done"}
