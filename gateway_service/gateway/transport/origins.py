"""Which page a request comes from."""

from django.conf import settings


def is_own_page(*, origin: str | None, site: str | None) -> bool:
    """Return whether a request comes from a page of OWN_ORIGINS, or from no page.

    `origin` and `site` are the headers Origin and Sec-Fetch-Site. A page that sends no referrer sends `Origin: null`
    instead of its origin. Then Sec-Fetch-Site alone decides, which no page can set.
    """
    if site is not None and site not in {"same-origin", "none"}:
        return False
    return origin is None or origin in settings.OWN_ORIGINS or (origin == "null" and site == "same-origin")


def may_use_cookie(*, origin: str | None, site: str | None) -> bool:
    """Return whether the request may use the cookie of the refresh token: from an own page or a page of CORS_ORIGINS.

    A browser sends the cookie only for pages of the same site (SameSite=Strict).
    """
    return is_own_page(origin=origin, site=site) or origin in settings.CORS_ORIGINS
