"""The HTTP addresses of the service."""

from django.contrib import admin
from django.urls import include, path

from shared.http.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("admin/", include("shared.local_accounts")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("bookings_service.bookings.api.urls")),
    path("", include("shared.http.urls")),
]
