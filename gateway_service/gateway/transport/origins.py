"""Which page a request comes from."""

from django.conf import settings
from django.http import HttpRequest


def from_own_page(request: HttpRequest) -> bool:
    """Return whether the request comes from a page of OWN_ORIGINS, or from no page.

    A page that sends no referrer sends `Origin: null` instead of its origin. Then Sec-Fetch-Site alone decides, which
    no page can set.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    return origin is None or origin in settings.OWN_ORIGINS or (origin == "null" and site == "same-origin")
