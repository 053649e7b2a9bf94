"""The HTTP addresses of the gateway."""

from django.conf import settings
from django.urls import path, re_path

from gateway_service.gateway.pages import views as pages
from gateway_service.gateway.rest.facade import facade
from gateway_service.gateway.rest.openapi import docs, openapi
from gateway_service.gateway.transport.assets import asset
from gateway_service.gateway.transport.graphiql import graphiql
from gateway_service.gateway.transport.health import live, ready
from gateway_service.gateway.transport.index import index
from gateway_service.gateway.transport.jwks_endpoint import jwks
from gateway_service.gateway.transport.problems import not_found

urlpatterns = [
    path("graphql", graphiql),  # in development only; http.py answers the rest of this path
    path("api/schema/", openapi),
    path("api/docs/", docs),
    re_path(r"^(?P<path>(?:api/v1|photos)/.*)$", facade),
    path(".well-known/jwks.json", jwks),
    path("health/live", live),
    path("health/ready", ready),
    path("static/<path:path>", asset),
    *pages.urlpatterns,
]
if settings.DEBUG:
    urlpatterns.append(path("", index))
urlpatterns.append(re_path(r"", not_found))  # instead of Django's DEBUG page, which lists every path

handler400 = "gateway_service.gateway.transport.problems.bad_request"
handler404 = "gateway_service.gateway.transport.problems.not_found"
handler500 = "gateway_service.gateway.transport.problems.failed"
