"""What imports have written: the values of each place as they were last imported, and how far each import came."""

from django.db import models

from destinations_service.catalogue.models.places import Destination


class ImportedPlace(models.Model):
    """A place of a source, with its values as they were last imported.

    A later import changes a field only if its present value is still `values`. `digest` is that of the source's row, so
    that an unchanged row costs one comparison. `destination` is null after staff deleted the place: no import makes it
    again.
    """

    source = models.CharField(max_length=40)
    source_id = models.CharField(max_length=64)
    destination = models.ForeignKey(Destination, null=True, on_delete=models.SET_NULL, related_name="imported")
    digest = models.CharField(max_length=32)
    values = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id"], name="imported_place_once_in_a_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"


class ImportRun(models.Model):
    """One import of a file. `countries` holds the counts of each country that was merged, in its transaction.

    A run without `finished_at` was interrupted. The next import of the same file, with the same digest, continues it.
    """

    source = models.CharField(max_length=40)
    file = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)
    countries = models.JSONField(default=dict)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.file}, {self.started_at:%Y-%m-%d %H:%M}"
