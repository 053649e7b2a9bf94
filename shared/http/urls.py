"""The addresses of every service with a REST API: schema, documentation and health."""

from django.urls import include, path
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class FormatFirst(DefaultContentNegotiation):
    """`?format=` decides, whatever the Accept header says."""

    def get_accept_list(self, request: Request) -> list[str]:
        """Return the media types that the client accepts: all of them if the query names a format."""
        return ["*/*"] if "format" in request.query_params else super().get_accept_list(request)


class SchemaView(SpectacularAPIView):
    """The service's OpenAPI 3.1 document: YAML or JSON, by `?format=` or by the Accept header, otherwise YAML."""

    renderer_classes = [OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer2, OpenApiJsonRenderer]
    content_negotiation_class = FormatFirst


urlpatterns = [
    path("", include("shared.http.health")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]

handler400 = "shared.http.problems.bad_request"
handler403 = "shared.http.problems.forbidden"
handler404 = "shared.http.problems.not_found"
handler500 = "shared.http.problems.server_error"
