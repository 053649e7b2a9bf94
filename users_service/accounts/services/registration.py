"""Register, and confirm the address. An account exists only once its address is confirmed.

Answer and response time do not show whether the address has an account: a known address, a pending one and an unknown
one cause the same statements. Only the mail differs.
"""

from django.conf import settings
from django.db import transaction

from shared.db import database_now
from shared.names import clean_name
from shared.text import DEFAULT_LOCALE
from users_service.accounts import events, limits, passwords
from users_service.accounts.contracts import Device, LinkUse, Registration
from users_service.accounts.domain import (
    AuditAction,
    TermsNotAccepted,
    TokenInvalid,
    check_password_strength,
    clean_email,
    clean_phone,
)
from users_service.accounts.models import LinkPurpose, PendingRegistration, Profile, User
from users_service.accounts.services.addresses import lock_address
from users_service.accounts.services.even_time import even_time
from users_service.accounts.services.links import hash_of, request_link, use_link


@passwords.place()
def register(*, registration: Registration, device: Device) -> None:
    """Keep the registration for REGISTRATION_LIFETIME, and request the mail whose link makes the account.

    If the address already has an account, its owner gets a mail that says so, and nothing else changes.

    Raises InvalidEmail, WeakPassword, InvalidName, InvalidPhone, TermsNotAccepted, RateLimited.
    """
    email = clean_email(registration.email)
    first_name = clean_name(registration.first_name, field="firstName")
    last_name = clean_name(registration.last_name, field="lastName")
    phone = clean_phone(registration.phone)
    check_password_strength(
        registration.password, email=email, names=(first_name, last_name), common=passwords.common_passwords()
    )
    if not registration.accept_terms:
        raise TermsNotAccepted(field="acceptTerms")
    limits.before_mail("registration", email=email, ip_address=device.ip_address)
    hashed = passwords.hashed(registration.password)
    with transaction.atomic():
        now = database_now()
        owner = _owner(email)
        pending = PendingRegistration.objects.create(
            email=email,
            password=hashed,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            locale=(registration.locale or DEFAULT_LOCALE).value,
            created_at=now,
            expires_at=now + settings.REGISTRATION_LIFETIME,
        )
        request_link(
            purpose=LinkPurpose.ALREADY_REGISTERED if owner else LinkPurpose.VERIFY_EMAIL,
            user=owner,
            registration=None if owner else pending,
            recipient=email,
            locale=pending.locale,
            now=now,
        )


@even_time()
def resend_verification(*, email: str, device: Device) -> None:
    """Mail the newest registration of the address another link. Otherwise send nothing, without saying so.

    Raises InvalidEmail, RateLimited.
    """
    folded = clean_email(email)
    limits.before_mail("verification", email=folded, ip_address=device.ip_address)
    with transaction.atomic():
        now = database_now()
        # Locked, because a confirmation may delete it before the request is stored.
        registrations = PendingRegistration.objects.select_for_update().filter(email=folded, expires_at__gt=now)
        pending = registrations.order_by("-id").first()
        if _owner(folded) is not None:
            pending = None
        request_link(
            purpose=LinkPurpose.VERIFY_EMAIL if pending else LinkPurpose.NOBODY,
            registration=pending,
            recipient=folded if pending else "",
            locale=pending.locale if pending else DEFAULT_LOCALE.value,
            now=now,
        )


def verify_email(*, token: str, device: Device) -> None:
    """Make the account of the link's registration, and delete every other registration of the address.

    A link works once. A lock on the address decides between links that are used at the same time. Without it, two of
    them would wait for each other's rows. Raises TokenInvalid.
    """
    with transaction.atomic():
        now = database_now()
        found = PendingRegistration.objects.filter(link_requests__token_hash=hash_of(token), expires_at__gt=now)
        address = found.values_list("email", flat=True).first()
        if address is None:
            raise TokenInvalid
        lock_address(address)
        pending = found.select_for_update(of=("self",)).first()
        if pending is None:
            raise TokenInvalid
        use_link(token=token, use=LinkUse.VERIFY_EMAIL, now=now)
        [user] = User.objects.bulk_create(
            [User(id=pending.id, email=pending.email, password=pending.password, email_verified_at=now)],
            ignore_conflicts=True,
        )
        # ON CONFLICT DO NOTHING, because PostgreSQL would write the row of an error to its log.
        if not User.objects.filter(id=user.id).exists():
            raise TokenInvalid
        Profile.objects.create(
            user=user,
            first_name=pending.first_name,
            last_name=pending.last_name,
            phone=pending.phone,
            locale=pending.locale,
        )
        PendingRegistration.objects.filter(email=pending.email).delete()
        events.record(user, events.registered(user), action=AuditAction.REGISTERED, device=device, now=now)
        events.publish_change(user, events.verified(user), now=now)


def _owner(email: str) -> User | None:
    """Return the account of the address, even if it is closed."""
    return User.objects.filter(email=email).first()
