"""The migration that makes pending registrations of accounts whose address was never confirmed."""

from importlib import import_module

import pytest
from django.apps import apps

from users_service.accounts import services
from users_service.accounts.contracts import Device
from users_service.accounts.models import LinkRequest, PendingRegistration, User
from users_service.tests.conftest import minted_token
from users_service.tests.factories import UserFactory

migration = import_module("users_service.accounts.migrations.0003_unverified_accounts_become_registrations")


@pytest.mark.django_db
def test_an_unverified_account_becomes_a_registration_that_its_owner_can_confirm(visitor):
    """Verified accounts and those of staff stay. The owner asks for the link again, and signs in with the password."""
    verified, staff = UserFactory(), UserFactory(email_verified_at=None, is_staff=True)
    unverified = UserFactory(email="waiting@example.org", email_verified_at=None)

    migration.move(apps, None)

    assert set(User.objects.values_list("id", flat=True)) == {verified.id, staff.id}
    pending = PendingRegistration.objects.get()
    assert (pending.id, pending.email, pending.first_name) == (unverified.id, "waiting@example.org", "Ann")
    assert visitor.login("waiting@example.org").status_code == 401
    services.resend_verification(email="waiting@example.org", device=Device("198.51.100.7"))
    services.verify_email(token=minted_token(LinkRequest.objects.get()), device=Device("198.51.100.7"))
    assert visitor.login("waiting@example.org").status_code == 200
    assert User.objects.get(email="waiting@example.org").id == unverified.id
