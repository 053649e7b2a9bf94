"""A letter may wait because this release does not know its type, or a value in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_letter_identity")]

    operations = [
        migrations.AlterField(
            model_name="deadletter",
            name="fault",
            field=models.CharField(
                blank=True,
                choices=[
                    ("MESSAGE", "the message"),
                    ("HANDLER", "its handling"),
                    ("RELEASE", "this release, which is too old for it"),
                    ("", "none"),
                ],
                max_length=16,
            ),
        ),
    ]
