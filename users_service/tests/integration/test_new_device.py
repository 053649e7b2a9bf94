"""A sign-in with a device, or from a network, that the account has not used is mailed to its owner."""

from datetime import timedelta

import pytest
from django.utils import timezone

from shared.outbox.models import OutboxEvent
from shared.testing import race
from users_service.accounts import services
from users_service.accounts.contracts import Device
from users_service.accounts.models import AuditEntry, LinkRequest, Session
from users_service.tests.factories import PASSWORD, UserFactory

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
HOME = Device("198.51.100.7", FIREFOX.format(130, 130))


def sign_in(user, device=HOME):
    return services.log_in(email=user.email, password=PASSWORD, device=device)


def mails(user):
    return list(LinkRequest.objects.filter(user=user).values_list("purpose", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "device",
    [
        Device("198.51.100.7", CHROME),
        Device("198.51.101.7", HOME.user_agent),
        Device("2001:db8:1::7", HOME.user_agent),
        Device("", HOME.user_agent),
        Device("198.51.100.7", ""),
    ],
)
def test_a_new_device_or_network_is_mailed_once(device, events):
    """Seen failing (no mail) when only the device counted, and when only the network did."""
    user = UserFactory()
    sign_in(user)

    sign_in(user, device)
    sign_in(user, device)

    session = Session.objects.order_by("id")[1]
    assert mails(user) == ["NEW_DEVICE"]
    assert events() == ["user.signed_in_from_new_device", "user.link_requested"]
    assert str(session.id) in OutboxEvent.objects.order_by("id")[0].value
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["signed_in", "signed_in_from_new_device", "signed_in"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (HOME, Device("198.51.100.250", FIREFOX.format(131, 131))),
        (Device("2001:db8:1::7", "x"), Device("2001:db8:1:ffff::8", "y")),
        (Device("", "curl/8.1"), Device("", "curl/8.2")),
    ],
)
def test_an_update_of_the_browser_or_another_address_of_the_network_is_no_news(first, second, events):
    """Seen failing (a mail for each update) when the whole header was compared."""
    user = UserFactory()
    sign_in(user, first)

    sign_in(user, second)

    assert events() == []


@pytest.mark.django_db
def test_ended_and_expired_sessions_count_but_not_those_of_strangers(events):
    user = UserFactory()
    sign_in(user, Device("192.0.2.1", CHROME))
    Session.objects.update(revoked_at="2026-01-01T00:00Z", expires_at="2026-01-01T00:00Z")
    sign_in(UserFactory())

    sign_in(user, Device("192.0.2.1", CHROME))
    assert events() == []
    sign_in(user)

    assert mails(user) == ["NEW_DEVICE"]


@pytest.mark.django_db
def test_an_account_whose_sessions_were_all_purged_is_warned():
    """Seen failing (no mail) when the account's first session counted as its first sign-in."""
    user = UserFactory()
    sign_in(user)
    Session.objects.all().delete()

    sign_in(user)

    assert mails(user) == ["NEW_DEVICE"]


@pytest.mark.django_db
def test_refused_sign_ins_are_no_earlier_use(visitor):
    user = UserFactory()
    assert visitor.login(user.email, "wrong").status_code == 401

    sign_in(user)

    assert mails(user) == []


@pytest.mark.django_db(transaction=True)
def test_two_sign_ins_at_the_same_time_from_a_new_device_are_mailed():
    user = UserFactory()
    sign_in(user)

    race([lambda: sign_in(user, Device("192.0.2.1", CHROME))] * 2)

    assert mails(user) == ["NEW_DEVICE"]


@pytest.mark.django_db
def test_an_account_with_many_sessions_is_compared_in_few_statements(django_assert_max_num_queries):
    user = UserFactory()
    now = timezone.now()
    Session.objects.bulk_create(
        Session(
            user=user,
            current_jti=f"019f0000-0000-7000-8000-{number:012}",
            rotated_at=now,
            expires_at=now + timedelta(days=1),
            revoked_at=now,
            user_agent=FIREFOX.format(number, number),
            ip_address="198.51.100.7",
        )
        for number in range(500)
    )

    with django_assert_max_num_queries(30):
        sign_in(user, Device("198.51.100.9", CHROME))

    assert mails(user) == ["NEW_DEVICE"]
