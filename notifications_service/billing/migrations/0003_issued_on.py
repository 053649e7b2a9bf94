"""The date on a document, in the seller's zone. Documents of older releases have none: theirs is the date in UTC."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_issued_is_issued")]

    operations = [
        migrations.AddField(
            "invoice",
            "issued_on",
            models.DateField(
                null=True, blank=True, help_text="The date in the seller's zone. Null in documents of older releases: UTC."
            ),
        ),
    ]
