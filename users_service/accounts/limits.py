"""Rate limits of sign-ins and mails. While Valkey is unavailable, nobody is limited.

A network is an IPv4 address or the /64 of an IPv6 address, because a subscriber has all addresses of a /64.
"""

from typing import Final, Literal
from uuid import UUID

from django.conf import settings

from shared.http.addresses import network_of
from shared.limits import SignIns, Window

MailKind = Literal["registration", "verification", "password reset", "address change"]
REFUSALS_AN_HOUR: Final = 100
_SIGN_INS: Final = SignIns("login")
_MAILS_OF_NETWORK: Final = Window("mail-network", 60 * 60)
_MAILS_TO_ADDRESS: Final = Window("mail-address", 60 * 60)
CHANGES_AN_HOUR: Final = 30
_CHANGES: Final = Window("changes", 60 * 60)
_REFUSALS: Final = Window("refusals", 60 * 60)
_CODES_OF_ACCOUNT: Final = Window("code-account", 60 * 60)
_CODES_TO_PHONE: Final = Window("code-phone", 60 * 60)


def before_sign_in(*, email: str, ip_address: str) -> None:
    """Count a sign-in as failed, until `after_sign_in` says that it succeeded.

    Raises RateLimited beyond the limit of the account or of the network.
    """
    _SIGN_INS.before(account=email, network=network_of(ip_address))


def after_sign_in(*, email: str, ip_address: str) -> None:
    """Forget the account's failures, because its owner has signed in."""
    _SIGN_INS.after(account=email, network=network_of(ip_address))


def before_mail(kind: MailKind, *, email: str, ip_address: str) -> None:
    """Count a mail that somebody requests. Raises RateLimited beyond the limit of the network or of the address.

    Each kind has a limit of its own for an address. Otherwise five requests that mail nothing, such as those of a
    verification link for an account, would keep its owner from a password reset.
    """
    network = network_of(ip_address)
    of_network = _MAILS_OF_NETWORK.add(network)
    _MAILS_OF_NETWORK.check(network, count=of_network, limit=settings.MAIL_REQUEST_LIMIT_NETWORK)
    to_address = _MAILS_TO_ADDRESS.add(kind, email)
    _MAILS_TO_ADDRESS.check(kind, email, count=to_address, limit=settings.MAIL_REQUEST_LIMIT_ADDRESS)


def before_phone_code(*, user_id: UUID, phone: str, ip_address: str) -> None:
    """Count an SMS that somebody requests. Raises RateLimited beyond the limit of network, account or number.

    The number has a limit of its own, so that many accounts cannot send many messages to one phone.
    """
    network = network_of(ip_address)
    of_network = _MAILS_OF_NETWORK.add(network)
    _MAILS_OF_NETWORK.check(network, count=of_network, limit=settings.MAIL_REQUEST_LIMIT_NETWORK)
    of_account = _CODES_OF_ACCOUNT.add(str(user_id))
    _CODES_OF_ACCOUNT.check(str(user_id), count=of_account, limit=settings.PHONE_CODE_LIMIT)
    to_phone = _CODES_TO_PHONE.add(phone)
    _CODES_TO_PHONE.check(phone, count=to_phone, limit=settings.PHONE_CODE_LIMIT)


def before_change(what: Literal["phone", "password"], *, user_id: UUID) -> None:
    """Count another phone number or password of the account. Raises RateLimited beyond CHANGES_AN_HOUR.

    Each is mailed to the owner, so a stolen session could bury a warning below many. And each password is hashed.
    """
    subject = (what, str(user_id))
    _CHANGES.check(*subject, count=_CHANGES.add(*subject), limit=CHANGES_AN_HOUR)


def before_refusable(*, user_id: UUID, action: str, ip_address: str) -> None:
    """Raise RateLimited if this network was refused `action` on the account REFUSALS_AN_HOUR times within the hour.

    Each refusal is an entry of the audit log, which nothing deletes. So a stolen session or an old link could hide
    what it did below any number of refusals.
    """
    subject = (str(user_id), action, network_of(ip_address))
    _REFUSALS.check(*subject, count=_REFUSALS.count(*subject) + 1, limit=REFUSALS_AN_HOUR)


def count_refusal(*, user_id: UUID, action: str, ip_address: str) -> None:
    """Count a refused `action` for `before_refusable`."""
    _REFUSALS.add(str(user_id), action, network_of(ip_address))
