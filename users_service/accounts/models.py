"""Tables of accounts. A unique constraint guarantees that an address has only one account."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from shared.ids import uuid7
from users_service.accounts.domain import clean_email


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
        return self.get(email=clean_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """An account. `email` is stored folded (lower case, NFKC). `version` orders its events."""

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
    """The purpose of a mailed link."""

    VERIFY_EMAIL = "VERIFY_EMAIL", "Verify the address"
    ALREADY_REGISTERED = "ALREADY_REGISTERED", "Somebody tried to register the address"


class LinkRequest(models.Model):
    """A request for a mail with a secret link. The token is made while the mail is written. Only its hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="link_requests")
    purpose = models.CharField(max_length=20, choices=LinkPurpose.choices)
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class SigningKey(models.Model):
    """An EdDSA key that signs access and refresh tokens. The private half is encrypted with SIGNING_KEYS_SECRET."""

    kid = models.CharField(max_length=64, primary_key=True)
    private_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(
        null=True, blank=True, help_text="Signs no more; still verifies what it has signed."
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.kid


class AuditEntry(models.Model):
    """An action on an account, for support. It never has an address, a password or a token."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="audit_entries")
    action = models.CharField(max_length=40)
    at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["user", "-at"], name="audit_of_user")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
