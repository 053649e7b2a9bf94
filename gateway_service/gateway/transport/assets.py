"""The static files of GraphiQL, Swagger UI and the index page. They are packaged with the code."""

import mimetypes
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse

from gateway_service.gateway.transport.problems import not_found

_FOLDERS: Final = ("gateway/", "drf_spectacular_sidecar/swagger-ui-dist/")


def asset(request: HttpRequest, path: str) -> HttpResponse:
    """Answer the packaged file `path`, or 404 outside of the public folders."""
    file = finders.find(path) if path.startswith(_FOLDERS) and ".." not in path else None
    if not isinstance(file, str) or not Path(file).is_file():
        return not_found(request)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    response = HttpResponse(Path(file).read_bytes(), content_type=kind)
    response["Cache-Control"] = "public, max-age=3600"
    return response
