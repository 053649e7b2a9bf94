"""Django's hook for passwords that are changed in the admin: the same rule as for everybody who registers."""

from django.core.exceptions import ValidationError

from users_service.accounts import passwords
from users_service.accounts.domain import WeakPassword, check_password_strength
from users_service.accounts.models import User


class AccountPasswordValidator:
    """Passwords keep the rule of `check_password_strength`."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for a password that registration would refuse too."""
        email = user.email if user else ""
        names = [user.profile.first_name, user.profile.last_name] if user and hasattr(user, "profile") else []
        try:
            check_password_strength(password, email=email, names=names, common=passwords.common_passwords())
        except WeakPassword as refusal:
            raise ValidationError(str(refusal.text.en), code="weak_password") from None

    def get_help_text(self) -> str:
        """Return the rule as a sentence."""
        return str(WeakPassword.text.en)
