"""The catalogue as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CatalogueConfig(AppConfig):
    """Places, photos, prices, trips and departures."""

    name = "destinations_service.catalogue"
    label = "catalogue"
    verbose_name = "Catalogue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Give the groups of staff their permissions after every migration."""
        from destinations_service.catalogue.admin.groups import grant

        post_migrate.connect(grant, sender=self, dispatch_uid="catalogue.staff")
