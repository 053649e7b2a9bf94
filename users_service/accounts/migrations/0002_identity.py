"""Pending registrations, requests of every kind of mail, phone codes, key rotation, and an append-only audit log."""

import django.db.models.deletion
from django.db import migrations, models

import shared.ids

APPEND_ONLY = """
CREATE FUNCTION accounts_auditentry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.ip_address IS NULL AND NEW.user_agent = ''
       AND (NEW.id, NEW.user_id, NEW.action, NEW.at, NEW.request_id)
           IS NOT DISTINCT FROM (OLD.id, OLD.user_id, OLD.action, OLD.at, OLD.request_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_append_only();
"""
CHANGEABLE = """
DROP TRIGGER append_only ON accounts_auditentry;
DROP FUNCTION accounts_auditentry_append_only();
"""

UNTIE = """
ALTER TABLE accounts_auditentry DROP CONSTRAINT accounts_auditentry_user_id_7b0077aa_fk_accounts_user_id;
DROP INDEX accounts_auditentry_user_id_7b0077aa;
ALTER TABLE accounts_auditentry ALTER COLUMN user_id DROP NOT NULL;
"""
TIE = """
CREATE INDEX accounts_auditentry_user_id_7b0077aa ON accounts_auditentry (user_id);
ALTER TABLE accounts_auditentry ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE accounts_auditentry ADD CONSTRAINT accounts_auditentry_user_id_7b0077aa_fk_accounts_user_id
    FOREIGN KEY (user_id) REFERENCES accounts_user (id) DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PendingRegistration",
            fields=[
                ("id", models.UUIDField(default=shared.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.CharField(max_length=254, verbose_name="email address")),
                ("password", models.CharField(max_length=128)),
                ("first_name", models.CharField(max_length=150)),
                ("last_name", models.CharField(max_length=150)),
                ("phone", models.CharField(blank=True, help_text="E.164.", max_length=20)),
                ("locale", models.CharField(choices=[("EN", "English"), ("FR", "Français")], default="EN", max_length=2)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["email", "-created_at"], name="registration_of_address"),
                    models.Index(fields=["expires_at"], name="registration_expiry"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PhoneCode",
            fields=[
                ("id", models.UUIDField(default=shared.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("phone", models.CharField(help_text="E.164.", max_length=20)),
                ("code_hash", models.CharField(blank=True, max_length=64)),
                ("wrong_attempts", models.PositiveSmallIntegerField(default=0)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="phone_codes", to="accounts.user"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["user", "-created_at"], name="phone_code_of_user"),
                    models.Index(fields=["expires_at"], name="phone_code_expiry"),
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE accounts_linkrequest ALTER COLUMN user_id DROP NOT NULL",
                    "ALTER TABLE accounts_linkrequest ALTER COLUMN user_id SET NOT NULL",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    "linkrequest",
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="link_requests",
                        to="accounts.user",
                    ),
                )
            ],
        ),
        migrations.AddField("linkrequest", "recipient", models.CharField(blank=True, db_default="", max_length=254)),
        migrations.AddField(
            "linkrequest",
            "registration",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="link_requests",
                to="accounts.pendingregistration",
            ),
        ),
        migrations.AddIndex("linkrequest", models.Index(fields=["expires_at"], name="link_expiry")),
        migrations.AddConstraint(
            "linkrequest",
            models.CheckConstraint(
                condition=models.Q(("user__isnull", True), ("registration__isnull", True), _connector="OR"),
                name="link_has_one_subject",
            ),
        ),
        migrations.AddField(
            "signingkey",
            "activates_at",
            models.DateTimeField(blank=True, help_text="Signs from then on; from the start if empty.", null=True),
        ),
        migrations.AddField(
            "signingkey",
            "withdrawn_at",
            models.DateTimeField(blank=True, help_text="Compromised: never trusted again.", null=True),
        ),
        # The column of the foreign key stays; only its constraint goes.
        migrations.RemoveIndex("auditentry", "audit_of_user"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(UNTIE, TIE)],
            state_operations=[
                migrations.RemoveField("auditentry", "user"),
                migrations.AddField("auditentry", "user_id", models.UUIDField(blank=True, null=True)),
            ],
        ),
        migrations.AddField("auditentry", "ip_address", models.GenericIPAddressField(blank=True, null=True)),
        migrations.AddField("auditentry", "user_agent", models.CharField(blank=True, db_default="", max_length=200)),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["user_id", "-at", "-id"], name="audit_of_account")
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
    ]
