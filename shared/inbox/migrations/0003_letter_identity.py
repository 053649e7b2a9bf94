"""A dead letter's identity includes the event's id.

After a topic was made anew, its offsets count from 0 again.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0002_letters_and_brakes")]

    operations = [
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.UniqueConstraint(
                fields=("consumer", "topic", "partition", "offset", "event_id"), name="dead_letter_once_per_event"
            ),
        ),
        migrations.RemoveConstraint(model_name="deadletter", name="dead_letter_once"),
    ]
