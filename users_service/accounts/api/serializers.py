"""The requests and answers of accounts over REST. A request with an unknown field is refused."""

from typing import Any

from rest_framework import serializers

from shared.http.serializers import StrictSerializer
from shared.text import Locale
from users_service.accounts.contracts import LinkUse, Registration
from users_service.accounts.domain import AuditAction

LOCALES = [locale.value for locale in Locale]


class RegisterSerializer(StrictSerializer):
    """The account to open."""

    email = serializers.CharField(max_length=1_000)
    password = serializers.CharField(trim_whitespace=False, write_only=True)
    first_name = serializers.CharField(allow_blank=True, max_length=1_000, trim_whitespace=False)
    last_name = serializers.CharField(allow_blank=True, max_length=1_000, trim_whitespace=False)
    locale = serializers.ChoiceField(LOCALES, required=False)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")
    accept_terms = serializers.BooleanField()

    def registration(self) -> Registration:
        """Return the request as the service takes it."""
        fields = dict(self.validated_data)
        locale = fields.pop("locale", None)
        return Registration(**fields, locale=Locale(locale) if locale else None)


class TokenSerializer(StrictSerializer):
    """The token of a mailed link."""

    token = serializers.CharField(max_length=200)


class EmailSerializer(StrictSerializer):
    """An email address."""

    email = serializers.CharField(max_length=1_000)


class ResetPasswordSerializer(StrictSerializer):
    """The token of a mailed link, and the new password."""

    token = serializers.CharField(max_length=200)
    new_password = serializers.CharField(trim_whitespace=False, write_only=True)


class ChangePasswordSerializer(StrictSerializer):
    """The present and the new password. The present one may be missing within ten minutes of the sign-in."""

    current_password = serializers.CharField(
        trim_whitespace=False, write_only=True, required=False, allow_blank=True, default=""
    )
    new_password = serializers.CharField(trim_whitespace=False, write_only=True)


class ChangeEmailSerializer(StrictSerializer):
    """The new address, and the password. The password may be missing within ten minutes of the sign-in."""

    new_email = serializers.CharField(max_length=1_000)
    password = serializers.CharField(
        trim_whitespace=False, write_only=True, required=False, allow_blank=True, default=""
    )


class VerifyPhoneSerializer(StrictSerializer):
    """The code of an SMS. Without it, an SMS is sent."""

    code = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class LinkDescriptionSerializer(serializers.Serializer[Any]):
    """What a mailed link is for."""

    use = serializers.ChoiceField([use.value for use in LinkUse])
    email = serializers.CharField()
    first_name = serializers.CharField()
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    locale = serializers.ChoiceField(LOCALES)


class LoginSerializer(StrictSerializer):
    """The credentials of a sign-in."""

    email = serializers.CharField(max_length=1_000)
    password = serializers.CharField(trim_whitespace=False, write_only=True)


class RefreshSerializer(StrictSerializer):
    """A refresh token to rotate."""

    refresh_token = serializers.CharField(max_length=4_096)


class LogoutSerializer(StrictSerializer):
    """The session to end: the refresh token's, or else the access token's. `everywhere` ends all."""

    refresh_token = serializers.CharField(max_length=4_096, required=False, default="")
    everywhere = serializers.BooleanField(required=False, default=False)


class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens. `expires_in` is the lifetime of the access token in seconds."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    expires_in = serializers.IntegerField()


class ProfileSerializer(StrictSerializer):
    """A traveller's profile. Only the fields that are sent change. If one of them is refused, none changes."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.CharField(read_only=True)
    email_verified = serializers.BooleanField(read_only=True)
    first_name = serializers.CharField(
        source="profile.first_name", allow_blank=True, trim_whitespace=False, max_length=1_000
    )
    last_name = serializers.CharField(
        source="profile.last_name", allow_blank=True, trim_whitespace=False, max_length=1_000
    )
    phone = serializers.CharField(source="profile.phone", allow_blank=True, max_length=40)
    phone_verified = serializers.BooleanField(source="profile.phone_verified", read_only=True)
    date_of_birth = serializers.CharField(
        source="profile.date_of_birth", allow_null=True, allow_blank=True, max_length=20
    )
    nationality = serializers.CharField(source="profile.nationality", allow_blank=True, max_length=20)
    locale = serializers.ChoiceField(LOCALES, source="profile.locale")
    currency = serializers.CharField(source="profile.currency", max_length=20)
    time_zone = serializers.CharField(source="profile.time_zone", max_length=200)
    notify_by_email = serializers.BooleanField(source="profile.notify_by_email")
    notify_by_sms = serializers.BooleanField(source="profile.notify_by_sms")

    def changes(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return dict(self.validated_data.get("profile", {}))


class SessionSerializer(serializers.Serializer[Any]):
    """A signed-in device. `device` is it in words, or empty. `current` marks the session of the request's token."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    user_agent = serializers.CharField()
    ip_address = serializers.CharField()
    device = serializers.CharField()
    current = serializers.BooleanField()


class SecurityEventSerializer(serializers.Serializer[Any]):
    """Something that happened to the account, or was refused."""

    at = serializers.DateTimeField()
    type = serializers.ChoiceField([action.value for action in AuditAction])
    user_agent = serializers.CharField()
    ip_address = serializers.CharField()
