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
