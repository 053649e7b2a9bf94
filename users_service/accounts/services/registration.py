"""Register. Answer and response time do not show whether the address already has an account."""

from django.db import IntegrityError, transaction

from shared.db import database_now
from shared.names import clean_name
from shared.text import DEFAULT_LOCALE
from users_service.accounts import events, limits, passwords
from users_service.accounts.contracts import Device, Registration
from users_service.accounts.domain import TermsNotAccepted, check_password_strength, clean_email, clean_phone
from users_service.accounts.models import LinkPurpose, Profile, User
from users_service.accounts.services.links import request_link


@passwords.place()
def register(*, registration: Registration, device: Device) -> None:
    """Open an account and request the mail with its verification link.

    If the address already has an account, its owner gets a mail instead, and nothing else changes.

    Raises InvalidEmail, WeakPassword, InvalidName, InvalidPhone, TermsNotAccepted, RateLimited.
    """
    email = clean_email(registration.email)
    first_name = clean_name(registration.first_name, field="firstName")
    last_name = clean_name(registration.last_name, field="lastName")
    phone = clean_phone(registration.phone)
    check_password_strength(registration.password, email=email, common=passwords.common_passwords())
    if not registration.accept_terms:
        raise TermsNotAccepted(field="acceptTerms")
    limits.before_mail(email=email, ip_address=device.ip_address)
    hashed = passwords.hashed(registration.password)  # for a known address too, so that both take the same time
    try:
        with transaction.atomic():
            now = database_now()
            user = User.objects.create(email=email, password=hashed)
            Profile.objects.create(
                user=user, first_name=first_name, last_name=last_name, phone=phone,
                locale=(registration.locale or DEFAULT_LOCALE).value,
            )  # fmt: skip
            events.record(user, events.registered(user), action="registered", now=now)
            request_link(user, LinkPurpose.VERIFY_EMAIL, now=now)
    except IntegrityError:
        _mail_owner(email)


def _mail_owner(email: str) -> None:
    """Mail the owner of the address: a new verification link if it is not verified, else that an account exists."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(email=email)
        purpose = LinkPurpose.ALREADY_REGISTERED if user.email_verified_at else LinkPurpose.VERIFY_EMAIL
        request_link(user, purpose, now=database_now())
