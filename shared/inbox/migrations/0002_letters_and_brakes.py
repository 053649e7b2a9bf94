"""Staff's actions on dead letters, skipped types and braked types. A letter may wait for the brake of its type."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="BrakedType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("consumer", models.CharField(max_length=64)),
                ("event_type", models.CharField(max_length=255)),
                ("cause", models.CharField(max_length=500)),
                ("since", models.DateTimeField(db_default=Now())),
                ("probes", models.PositiveIntegerField(db_default=0, default=0)),
                ("next_probe_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "event_type"), name="braked_type_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadLetterAction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "letter",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="actions", to="inbox.deadletter"),
                ),
                ("kind", models.CharField(choices=[("RETRY", "retry"), ("DISCARD", "discard")], max_length=8)),
                ("by", models.CharField(max_length=255)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField(db_default=Now())),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="SkippedType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("consumer", models.CharField(max_length=64)),
                ("topic", models.CharField(max_length=255)),
                ("event_type", models.CharField(max_length=255)),
                ("count", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("first_at", models.DateTimeField(db_default=Now())),
                ("last_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "topic", "event_type"), name="skipped_type_once"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="deadletter",
            name="status",
            field=models.CharField(
                choices=[
                    ("DEAD", "dead: somebody must look"),
                    ("PARKED", "parked behind an earlier one"),
                    ("BRAKED", "waits until its type is handled again"),
                    ("RETRYING", "to be tried again"),
                    ("RETRIED", "took effect after all"),
                    ("DISCARDED", "discarded"),
                ],
                max_length=16,
            ),
        ),
        migrations.RemoveIndex(model_name="deadletter", name="dead_letter_open"),
        migrations.AddIndex(
            model_name="deadletter",
            index=models.Index(
                condition=models.Q(("status__in", ("DEAD", "PARKED", "BRAKED", "RETRYING"))),
                fields=["consumer", "topic", "key", "id"],
                name="dead_letter_unresolved",
            ),
        ),
    ]
