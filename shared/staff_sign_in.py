"""One staff account for every admin.

Staff sign in with their account of users_service. The account and its groups are copied to the local database, and
checked again every five minutes. While users_service is unavailable, `shared.break_glass` may let superusers in.
"""

import time
from collections.abc import Callable
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.contrib.auth import get_user_model, logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractUser, Group
from django.http import HttpRequest, HttpResponse

from contracts.travel.users.v1 import users_pb2
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.deadline import Deadline
from shared.errors import DomainError, Unavailable
from shared.http.addresses import client_ip
from shared.rpc import Channel, call

RECHECK_SECONDS: Final = 300
_SESSION_CHECKED: Final = "staff_checked_at"
_ADMIN = "/admin/"
_SESSION_ID: Final = "staff_id"
_users: Final = UsersServiceStub(Channel("users"))


class StaffBackend(ModelBackend):
    """Sign staff in with their account of users_service."""

    def authenticate(  # type: ignore[override]  # each service has its own staff model
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> AbstractUser | None:
        """Return the local copy of the account, or None if users_service refuses the password or is unavailable."""
        if not username or not password:
            return None
        question = users_pb2.AuthenticateStaffRequest(
            email=username, password=password, ip_address=client_ip(request) if request else ""
        )
        try:
            staff = call(_users.AuthenticateStaff, question, deadline=Deadline.after(3)).staff
        except DomainError:
            return None
        user = mirror(staff)
        if request is not None:
            request.session[_SESSION_ID] = staff.id
            request.session[_SESSION_CHECKED] = time.time()
        return user


class StaffRecheckMiddleware:
    """End the session of staff whose account was closed, lost its rights or has another address, at most five minutes
    later.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check the account again if it is time, then answer the request."""
        if not request.path.startswith(_ADMIN):
            return self.get_response(request)  # a look at the session would make the answer depend on the cookie
        user = getattr(request, "user", None)
        staff_id = request.session.get(_SESSION_ID) if user is not None and user.is_authenticated else None
        if staff_id and time.time() - request.session.get(_SESSION_CHECKED, 0) > RECHECK_SECONDS:
            self._recheck(request, staff_id)
        return self.get_response(request)

    @staticmethod
    def _recheck(request: HttpRequest, staff_id: str) -> None:
        try:
            staff = call(_users.GetStaff, users_pb2.GetStaffRequest(id=staff_id), deadline=Deadline.after(2)).staff
        except Unavailable:
            return  # what was true five minutes ago holds until users_service answers again
        except DomainError:
            logout(request)
            return
        copy = mirror(staff)
        # After a change of address, the session is of the copy of the former address, whose rights nobody updates.
        if not staff.is_active or copy.pk != request.user.pk:
            logout(request)
            return
        request.user = copy  # type: ignore[assignment]
        request.session[_SESSION_CHECKED] = time.time()


def staff_id(request: HttpRequest) -> UUID:
    """Return the id of the signed-in staff member, for the audit.

    A local superuser has an id made from the user name.
    """
    known = request.session.get(_SESSION_ID)
    return UUID(known) if known else uuid5(NAMESPACE_URL, f"staff:{request.user.get_username()}")


def mirror(staff: users_pb2.Staff) -> AbstractUser:
    """Update the local copy of a staff account and return it: names, rights and groups, never a password.

    It has no other rights: what was given to the copy itself is taken away.
    """
    user, created = get_user_model().objects.get_or_create(username=staff.email)
    wanted = {
        "email": staff.email,
        "first_name": staff.first_name,
        "last_name": staff.last_name,
        "is_staff": True,
        "is_active": staff.is_active,
        "is_superuser": staff.is_superuser,
    }
    for name, value in wanted.items():
        setattr(user, name, value)
    if created:
        user.set_unusable_password()
    user.save()
    user.user_permissions.clear()
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in staff.groups])
    return user
