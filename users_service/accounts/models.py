"""Tables of accounts. A unique constraint guarantees that an address has only one account.

An account exists only once its address is confirmed. Before that there are only pending registrations.
"""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from shared.ids import uuid7
from users_service.accounts.domain import clean_email, fold


class UserManager(BaseUserManager["User"]):
    """Make and find accounts for Django's own commands and its sign-in."""

    def create_superuser(self, email: str, password: str, **extra: Any) -> "User":
        """Return a new superuser with a profile."""
        user = self.model(email=clean_email(email), is_staff=True, is_superuser=True, **extra)
        user.set_password(password)
        user.save(using=self._db)
        Profile.objects.using(self._db).create(user=user, first_name="Staff", last_name="Account")
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the account of an address, in any spelling."""
        return self.get(email=fold(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """An account. `email` is stored folded: in ASCII and lower case. `version` orders its events."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.CharField("email address", max_length=254, unique=True)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May sign in to the admin of every service.")
    version = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(name="user_email_is_folded", condition=Q(email=Lower("email"))),
        ]
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email


class Profile(models.Model):
    """The personal data of a traveller, and the channels that they accept."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164.")
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    nationality = models.CharField(max_length=2, blank=True)
    locale = models.CharField(max_length=2, default="EN", choices=[("EN", "English"), ("FR", "Français")])
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=50, default="UTC")
    notify_by_email = models.BooleanField(default=True)
    notify_by_sms = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class PendingRegistration(models.Model):
    """A registration whose address is not confirmed. An address may have several, each with its own password.

    Its link makes the account, which takes over the `id`, and deletes the others of the address.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.CharField("email address", max_length=254)
    password = models.CharField(max_length=128)
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164.")
    locale = models.CharField(max_length=2, default="EN", choices=[("EN", "English"), ("FR", "Français")])
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["email", "-created_at"], name="registration_of_address"),
            models.Index(fields=["expires_at"], name="registration_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Session(models.Model):
    """A signed-in device: a family of refresh tokens, of which only `current_jti` is valid.

    For REFRESH_GRACE after a rotation, `previous_jti` still gives the identical next pair. Later, its use means theft.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    current_jti = models.UUIDField(unique=True)
    previous_jti = models.UUIDField(null=True, blank=True)
    rotated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["user", "-created_at"], name="session_of_user")]

    def __str__(self) -> str:
        return str(self.id)


class LinkPurpose(models.TextChoices):
    """The purpose of a mail that users_service requests. Most of these mails have a secret link."""

    VERIFY_EMAIL = "VERIFY_EMAIL", "Confirm the address of a registration"
    ALREADY_REGISTERED = "ALREADY_REGISTERED", "Somebody tried to register the address"
    NOBODY = "NOBODY", "The address has no account: no mail"
    RESET_PASSWORD = "RESET_PASSWORD", "Set a new password"
    CONFIRM_EMAIL_CHANGE = "CONFIRM_EMAIL_CHANGE", "Confirm the new address"
    EMAIL_CHANGED = "EMAIL_CHANGED", "The address was changed; give it back"
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED", "Another address was requested"
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "The password was changed"
    PHONE_CHANGED = "PHONE_CHANGED", "The phone number was changed"
    NEW_DEVICE = "NEW_DEVICE", "A new device signed in"
    REUSE_DETECTED = "REUSE_DETECTED", "A refresh token was used twice"
    SESSIONS_ENDED = "SESSIONS_ENDED", "Every session was ended"


class LinkRequest(models.Model):
    """A request for a mail with a secret link. The token is made while the mail is written. Only its hash is stored.

    It belongs to an account or to a pending registration; to neither if the address is nobody's. `recipient` is the
    address that the mail goes to: the new address of a change, and the earlier address of an EMAIL_CHANGED mail.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="link_requests", null=True, blank=True)
    registration = models.ForeignKey(
        PendingRegistration, on_delete=models.CASCADE, related_name="link_requests", null=True, blank=True
    )
    purpose = models.CharField(max_length=32, choices=LinkPurpose.choices)
    recipient = models.CharField(max_length=254, blank=True, db_default="")
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="link_has_one_subject", condition=Q(user__isnull=True) | Q(registration__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="link_expiry")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class PhoneCode(models.Model):
    """A request for an SMS with a code that verifies `phone`. Only a keyed hash of the code is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="phone_codes")
    phone = models.CharField(max_length=20, help_text="E.164.")
    code_hash = models.CharField(max_length=64, blank=True)
    wrong_attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="phone_code_of_user"),
            models.Index(fields=["expires_at"], name="phone_code_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SigningKey(models.Model):
    """An EdDSA key that signs access tokens. The private half is encrypted with SIGNING_KEYS_SECRET.

    It is published from its creation, signs from `activates_at` to `retired_at`, and is published until the last token
    that it signed has ended. A withdrawn key is never trusted again.
    """

    kid = models.CharField(max_length=64, primary_key=True)
    private_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    activates_at = models.DateTimeField(null=True, blank=True, help_text="Signs from then on; from the start if empty.")
    retired_at = models.DateTimeField(
        null=True, blank=True, help_text="Signs no more; still verifies what it has signed."
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Compromised: never trusted again.")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.kid


class AuditEntry(models.Model):
    """An action on an account, or a refused one. It never has an address, a password or a token.

    A trigger refuses to change or delete an entry. It allows only to clear the network address and the user agent,
    which are personal data. There is no foreign key: entries outlive the account. `user_id` is empty if the address of
    a refused sign-in has no account.
    """

    user_id = models.UUIDField(null=True, blank=True)
    action = models.CharField(max_length=40)
    at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True, db_default="")

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["user_id", "-at", "-id"], name="audit_of_account")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
