"""The table of keys that had their effect."""

from django.db import models


class IdempotencyKey(models.Model):
    """A key that `owner` has used, the fingerprint of the request it came with, and what that request made.

    The row commits with the effect: a refusal leaves none.
    """

    owner = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    result = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_once_per_owner")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return f"{self.owner} {self.key[:20]}"
