"""Check the rows that exist against the constraints of the migration before, without a lock against writes."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0008_whole_pairs")]

    operations = [
        ValidateConstraint("destination", "destination_both_coordinates"),
        ValidateConstraint("destination", "destination_both_months"),
        ValidateConstraint("trip", "trip_meeting_point_has_both_coordinates"),
    ]
