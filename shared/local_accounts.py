"""The admin's pages about local accounts: copies of staff accounts, and break-glass accounts. Include it in `admin/`.

Only a break-glass account has a password here, and only its owner changes it. Django's own pages of accounts are not
there: with them, a superuser could give a copy a password, and sign in with it after users_service closed the account.
"""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

admin.site.unregister(User)


def password_change(request: HttpRequest) -> HttpResponse:
    """Let a break-glass account change its password. Staff change theirs in the admin of users_service.

    Raises Http404 while break-glass accounts are off.
    """
    if not settings.BREAK_GLASS:
        raise Http404
    return admin.site.password_change(request)


urlpatterns: list[URLPattern] = [path("password_change/", admin.site.admin_view(password_change))]
