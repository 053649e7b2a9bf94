"""The addresses of every service with a REST API: schema, documentation and health."""

from django.urls import include, path
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView


class SchemaView(SpectacularAPIView):
    """The service's OpenAPI 3.1 document: YAML, or JSON with `?format=json`."""

    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer]


urlpatterns = [
    path("", include("shared.http.health")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]

handler400 = "shared.http.problems.bad_request"
handler403 = "shared.http.problems.forbidden"
handler404 = "shared.http.problems.not_found"
handler500 = "shared.http.problems.server_error"
