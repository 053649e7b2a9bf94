"""What the views of the catalogue have in common."""

from typing import Any, Final, Protocol, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import services
from shared.auth.drf import has_role, traveller_of
from shared.errors import Forbidden, Invalid, NotFound, StaleVersion, Unauthenticated
from shared.http.conditional import PublicReads


class HasSlug(Protocol):
    """A view of a row with an address of its own."""

    @property
    def slug(self) -> str: ...


V = TypeVar("V")
S = TypeVar("S", bound=HasSlug)
CatalogueEditor = has_role("catalogue_editor")
PAGE: Final = [OpenApiParameter("cursor", str), OpenApiParameter("limit", int)]
IF_MATCH: Final = [
    OpenApiParameter(
        "If-Match", str, OpenApiParameter.HEADER,
        description="The ETag of what you have read. If it has changed since, the answer is 412 and nothing is written."
        " Without it, the change is written whatever was changed before.",
    )
]  # fmt: skip
WRITING: Final = (Invalid, Unauthenticated, Forbidden)
CHANGING: Final = (*WRITING, NotFound, StaleVersion)


class OpenView(PublicReads):
    """Read by anybody, written by catalogue editors, whom the history names."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the caller and the request, then record who writes."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS:
            services.by_staff(traveller_of(request).id)

    def get_permissions(self) -> list[BasePermission]:
        """Let everybody read, and catalogue editors write."""
        return [AllowAny()] if self.request.method in SAFE_METHODS else [CatalogueEditor()]


class Moved(Exception):
    """The row has another slug now."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class SlugView(OpenView):
    """A view of a row that its slug names. An earlier slug is answered with the present address (308)."""

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an exception: an earlier slug by a redirect, which the same caches keep as the answers."""
        if not isinstance(exc, Moved):
            return super().handle_exception(exc)
        address = self.request.path.replace(f"/{self.kwargs['slug']}/", f"/{exc.slug}/", 1)
        query = self.request.META.get("QUERY_STRING", "")
        headers = {
            "Location": f"{address}?{query}" if query else address,
            "Cache-Control": f"public, max-age={self.max_age}",
        }
        return Response(status=status.HTTP_308_PERMANENT_REDIRECT, headers=headers)

    def current(self, views: list[S]) -> S:
        """Return the one row that was found. Raises NotFound, Moved if the address has an earlier slug of it."""
        row = first(views)
        if row.slug != self.kwargs["slug"]:
            raise Moved(row.slug)
        return row


def first(views: list[V]) -> V:
    """Return the one view that was found. Raises NotFound."""
    if not views:
        raise NotFound
    return views[0]
