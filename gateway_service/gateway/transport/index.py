"""The index page for developers: links to every service and document."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:"
_TITLES = {
    "users": "Accounts, sessions, staff",
    "destinations": "Destinations, trips, departures",
    "bookings": "Quotes, bookings, payments",
    "notifications": "Mails, SMS, invoices",
}


def index(request: HttpRequest) -> HttpResponse:
    """Answer the page. It is served only in development."""
    services = [
        {"name": name, "title": _TITLES[name], "url": _for_browser(url)} for name, url in settings.SERVICE_URLS.items()
    ]
    response = render(request, "gateway/index.html", {"services": services, "public_url": settings.PUBLIC_URL})
    response["Content-Security-Policy"] = _POLICY
    return response


def _for_browser(url: str) -> str:
    return url.replace("//127.0.0.1:", "//localhost:")
