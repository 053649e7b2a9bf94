"""The HTTP addresses of the service."""

from django.contrib import admin
from django.urls import include, path

from shared.http.urls import handler400, handler403, handler404, handler500
from users_service.accounts.api.views import JwksView

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("admin/", include("users_service.accounts.admin.own_password")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("users_service.accounts.api.urls")),
    path(".well-known/jwks.json", JwksView.as_view()),
    path("", include("shared.http.urls")),
]
