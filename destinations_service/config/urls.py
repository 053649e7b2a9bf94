"""The HTTP addresses of the service."""

from django.contrib import admin
from django.urls import include, path

from destinations_service.catalogue.api.views import photo
from shared.http.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("admin/", include("shared.local_accounts")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("destinations_service.catalogue.api.urls")),
    path("photos/<uuid:photo_id>/<int:width>.jpg", photo),
    path("", include("shared.http.urls")),
]
