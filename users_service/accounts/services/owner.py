"""Let only its owner change an account: with the password, or within RECENT_SIGN_IN of the sign-in."""

from uuid import UUID

from django.conf import settings

from shared.db import database_now
from shared.errors import NotFound, Unauthenticated
from shared.text import Text
from users_service.accounts import audit, limits, passwords
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction, InvalidCredentials
from users_service.accounts.models import Session, User

WRONG_PASSWORD = Text(
    en="Your present password is wrong.",
    fr="Votre mot de passe actuel est incorrect.",
)
NOT_RECENT = Text(
    en="You signed in a while ago. Enter your present password.",
    fr="Votre connexion date un peu. Saisissez votre mot de passe actuel.",
)


def get_account(*, user_id: UUID) -> User:
    """Return the account with its profile, unlocked. Raises NotFound if there is none or it is closed."""
    user = User.objects.filter(id=user_id, is_active=True).select_related("profile").first()
    if user is None:
        raise NotFound
    return user


def prove_owner(user: User, *, password: str, authenticated_at: int, refused: AuditAction, device: Device) -> None:
    """Check the password, or, if it is empty, that the sign-in (in seconds since the epoch) is recent.

    Wrong passwords count towards the limits of sign-ins, so a stolen session cannot guess. A refusal is in the audit
    log as `refused`. Call it outside a transaction, because it hashes. Raises InvalidCredentials, RateLimited.
    """
    with audit.refusals(user.id, refused, device=device):
        if not password:
            if database_now().timestamp() - authenticated_at > settings.RECENT_SIGN_IN.total_seconds():
                raise InvalidCredentials(field="password", text=NOT_RECENT)
            return
        limits.before_sign_in(email=user.email, ip_address=device.ip_address)
        if not passwords.matches(user, password[:1_000]):
            raise InvalidCredentials(field="password", text=WRONG_PASSWORD)
        limits.after_sign_in(email=user.email, ip_address=device.ip_address)


def lock_owner(user: User, *, session_id: UUID | None) -> User:
    """Lock the account that `prove_owner` accepted, and return it as it is now.

    Raises Unauthenticated if the session has ended since then, and InvalidCredentials if the password was changed.
    """
    # Without the key, so that two owners who ask for each other's address do not wait for each other.
    locked = User.objects.select_for_update(no_key=True).filter(id=user.id, is_active=True).first()
    if locked is None:
        raise NotFound
    if session_id is not None and not _is_open(locked, session_id):
        raise Unauthenticated
    if locked.password != user.password:
        raise InvalidCredentials(field="password", text=WRONG_PASSWORD)
    return locked


def _is_open(user: User, session_id: UUID) -> bool:
    return Session.objects.filter(id=session_id, user=user, revoked_at__isnull=True).exists()
