"""Staff change their own password here, as travellers do in the app: the same rules, limits, audit log and mail."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.forms import AdminOwnPasswordChangeForm

from shared.errors import DomainError
from users_service.accounts import services
from users_service.accounts.admin.devices import device_of
from users_service.accounts.domain import InvalidCredentials, WeakPassword
from users_service.accounts.models import User

# The field that shows a refusal. The others are shown above the form.
_FIELDS: Final[Mapping[type[DomainError], str]] = {InvalidCredentials: "old_password", WeakPassword: "new_password2"}


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """The present password and, twice, the new one."""

    def clean_old_password(self) -> str:
        """Return what was typed. Only `services.change_password` verifies it, in the pool and within the limits."""
        return str(self.cleaned_data["old_password"])


class OwnPasswordView(PasswordChangeView):
    """The page of the form. A refusal is shown on it."""

    form_class = OwnPasswordForm

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Change the password. This session of the admin goes on; every other session of the account ends."""
        user_id = UUID(str(self.request.user.pk))
        try:
            services.change_password(
                user_id=user_id,
                session_id=None,
                current_password=form.cleaned_data["old_password"],
                new_password=form.cleaned_data["new_password1"],
                authenticated_at=0,
                device=device_of(self.request),
            )
        except DomainError as refusal:
            form.add_error(_FIELDS.get(type(refusal)), str(refusal))
            return self.form_invalid(form)
        update_session_auth_hash(self.request, User.objects.get(id=user_id))
        return HttpResponseRedirect(self.get_success_url())


def password_change(request: HttpRequest) -> HttpResponseBase:
    """Show the form, or change the password."""
    view = OwnPasswordView.as_view(
        success_url=reverse("admin:password_change_done"), extra_context=admin.site.each_context(request)
    )
    return view(request)


urlpatterns: list[URLPattern] = [path("password_change/", admin.site.admin_view(password_change))]
