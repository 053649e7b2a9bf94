"""More purposes of mailed links, with longer names. The column only grows: no row is rewritten, and old code fits."""

from django.db import migrations, models

PURPOSES = [
    ("VERIFY_EMAIL", "Confirm the address of a registration"),
    ("ALREADY_REGISTERED", "Somebody tried to register the address"),
    ("NOBODY", "The address has no account: no mail"),
    ("RESET_PASSWORD", "Set a new password"),
    ("CONFIRM_EMAIL_CHANGE", "Confirm the new address"),
    ("EMAIL_CHANGED", "The address was changed; give it back"),
    ("EMAIL_CHANGE_REQUESTED", "Another address was requested"),
    ("PASSWORD_CHANGED", "The password was changed"),
    ("PHONE_CHANGED", "The phone number was changed"),
    ("NEW_DEVICE", "A new device signed in"),
    ("REUSE_DETECTED", "A refresh token was used twice"),
    ("SESSIONS_ENDED", "Every session was ended"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_unverified_accounts_become_registrations")]

    operations = [migrations.AlterField("linkrequest", "purpose", models.CharField(choices=PURPOSES, max_length=32))]
