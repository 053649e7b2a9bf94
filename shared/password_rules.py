"""A rule for the passwords of the admins' local accounts that Django does not have."""

from django.core.exceptions import ValidationError


class MaximumLengthValidator:
    """Passwords have at most `max_length` characters, so that no hash takes long."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for a password that is too long."""
        if len(password) > self.max_length:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Return the rule as a sentence."""
        return f"Your password can have at most {self.max_length} characters."
