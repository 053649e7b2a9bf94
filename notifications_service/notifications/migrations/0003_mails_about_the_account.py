"""Add the kinds of the mails about the account. Stored notifications of `session_revoked` become `reuse_detected`.

Both kinds tell the same: a sign-in was used twice, and its session was ended.
"""

from django.db import migrations, models


def rename(apps, schema_editor):
    apps.get_model("notifications", "Notification").objects.filter(kind="session_revoked").update(kind="reuse_detected")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_kinds")]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                max_length=32,
                choices=[
                    ("verify_email", "verify email"),
                    ("already_registered", "already registered"),
                    ("reset_password", "reset password"),
                    ("confirm_email_change", "confirm email change"),
                    ("email_changed", "email changed"),
                    ("email_change_requested", "email change requested"),
                    ("password_changed", "password changed"),
                    ("phone_changed", "phone changed"),
                    ("new_device", "new device"),
                    ("reuse_detected", "reuse detected"),
                    ("sessions_ended", "sessions ended"),
                    ("verify_phone", "verify phone"),
                    ("booking_confirmed", "booking confirmed"),
                    ("booking_changed", "booking changed"),
                    ("booking_cancelled", "booking cancelled"),
                    ("departure_cancelled", "departure cancelled"),
                    ("passenger_renamed", "passenger renamed"),
                    ("hold_expired", "hold expired"),
                    ("payment_failed", "payment failed"),
                    ("refund", "refund"),
                    ("waitlist_offered", "waitlist offered"),
                    ("waitlist_expired", "waitlist expired"),
                    ("waitlist_closed", "waitlist closed"),
                ],
            ),
        ),
        migrations.RunPython(rename, migrations.RunPython.noop),
    ]
