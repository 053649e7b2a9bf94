"""Make a pending registration of every account whose address was never confirmed, and delete the account.

The registration lasts for a day, like a new one: whoever asks for the link again gets it. Staff accounts stay: their
address was given by an operator.
"""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone

LIFETIME = timedelta(days=1)


def move(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    PendingRegistration = apps.get_model("accounts", "PendingRegistration")
    now = timezone.now()
    unverified = User.objects.filter(email_verified_at__isnull=True, is_staff=False, is_superuser=False)
    for user in unverified.select_related("profile").iterator(chunk_size=1_000):
        PendingRegistration.objects.create(
            id=user.id,
            email=user.email,
            password=user.password,
            first_name=user.profile.first_name,
            last_name=user.profile.last_name,
            phone=user.profile.phone,
            locale=user.profile.locale,
            created_at=user.created_at,
            expires_at=now + LIFETIME,
        )
        user.delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_identity")]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
