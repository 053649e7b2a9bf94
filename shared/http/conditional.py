"""Conditional requests over REST: tags of answers, answers that a cache may keep, and writes that name what they saw.

A tag of an object that has versions is `"<version>-<hash of the answer>"`. A read compares all of it, because the text
depends on the language too. A write compares only the version: it must be the one that the caller has read.
"""

import hashlib
import re
from collections.abc import Collection
from functools import partial
from typing import Any, Final

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

_READS: Final = frozenset({"GET", "HEAD"})
_TAG: Final = re.compile(r'(?:W/)?"(\d{1,18})-[0-9a-f]{16}"')


def seen_versions(request: Request) -> Collection[int] | None:
    """Return the versions that If-Match names. None means any: the header is missing or `*`.

    A tag that no answer had stands for no version, so that a service refuses the write with StaleVersion (412).
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    return frozenset(int(version) for version in _TAG.findall(header[:1_000]))


class PublicReads(APIView):
    """A view whose reads everybody may see: with a tag, answered by 304 if nothing changed, and kept by caches.

    An answer to a caller with a token is not kept, because a member of staff must see what he or she has just written.
    """

    max_age: int = 60  # seconds
    version: int | None = None  # a view of an object with versions sets it before it reads the object

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Return the response, which gets its tag as soon as it is rendered."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in _READS and response.status_code == 200:
            response.add_post_render_callback(partial(self._conditional, request))
        elif self.version is not None and response.status_code in (200, 201):
            response.add_post_render_callback(self._tag)
        return response

    def _conditional(self, request: Request, response: Response) -> HttpResponse:
        self._tag(response)
        if "Authorization" not in request.headers:
            patch_cache_control(response, public=True, max_age=self.max_age)
        return get_conditional_response(request._request, etag=response["ETag"], response=response) or response

    def _tag(self, response: Response) -> None:
        digest = hashlib.blake2b(response.content, digest_size=8).hexdigest()
        response["ETag"] = f'"{digest}"' if self.version is None else f'"{self.version}-{digest}"'
