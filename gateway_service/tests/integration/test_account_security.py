"""The mutations and fields of what protects an account: each passes the request on, with where it came from."""

from typing import Any
from uuid import UUID

import pytest

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import to_global_id
from gateway_service.tests.backends import Backends
from gateway_service.tests.world import timestamp
from shared.errors import Invalid, NotFound
from shared.ids import uuid7

ENGLISH = {"Accept-Language": "en"}  # else the profile is read for its language
SESSION = str(uuid7())
SESSION_ID = to_global_id("Session", SESSION)
SIGNED_OUT = {
    "requestPasswordReset": ('requestPasswordReset(email: "a@b.example")', "RequestPasswordReset", {"email": "a@b.example"}),
    "resetPassword": (
        'resetPassword(token: "t", newPassword: "p")', "ResetPassword", {"token": "t", "new_password": "p"},
    ),
    "confirmEmailChange": ('confirmEmailChange(token: "t")', "ConfirmEmailChange", {"token": "t"}),
    "verifyEmail": ('verifyEmail(token: "t")', "VerifyEmail", {"token": "t"}),
}  # fmt: skip
SIGNED_IN = {
    "changePassword": (
        'changePassword(currentPassword: "c", newPassword: "n")', "ChangePassword",
        {"current_password": "c", "new_password": "n"},
    ),
    "changeEmail": (
        'changeEmail(newEmail: "n@b.example", password: "c")', "ChangeEmail",
        {"new_email": "n@b.example", "password": "c"},
    ),
    "verifyPhone": ('verifyPhone(code: "123456")', "VerifyPhone", {"code": "123456"}),
    "revokeSession": (f'revokeSession(id: "{SESSION_ID}")', "RevokeSession", {"id": SESSION}),
}  # fmt: skip


class WeakPassword(Invalid):
    code = "WEAK_PASSWORD"


@pytest.mark.parametrize("name", [*SIGNED_OUT, *SIGNED_IN])
async def test_each_mutation_passes_its_arguments_and_the_device_on(
    name: str, ask: Any, backends: Backends, token: str
) -> None:
    field, method, expected = (SIGNED_OUT | SIGNED_IN)[name]

    answer = await ask(
        f"mutation {{ {field} {{ ok errors {{ code }} }} }}",
        token=token if name in SIGNED_IN else None,
        headers=ENGLISH,
    )

    assert answer == {"data": {name: {"ok": True, "errors": []}}}
    ((sent_method, request, _),) = backends.world.requests
    assert sent_method == method
    assert {key: getattr(request, key) for key in expected} == expected
    assert request.device.ip_address.startswith("127.")
    assert request.device.user_agent


@pytest.mark.parametrize("name", SIGNED_IN)
async def test_changes_of_an_account_require_sign_in(name: str, ask: Any, backends: Backends) -> None:
    (error,) = (await ask(f"mutation {{ {SIGNED_IN[name][0]} {{ ok }} }}"))["errors"]

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert backends.calls.total() == 0


async def test_a_refusal_that_a_mutation_lists_is_in_its_payload(ask: Any, backends: Backends, token: str) -> None:
    backends.world.refusals["ChangePassword"] = WeakPassword(field="newPassword")

    answer = await ask(f"mutation {{ {SIGNED_IN['changePassword'][0]} {{ ok errors {{ code field }} }} }}", token=token)

    assert answer["data"]["changePassword"] == {
        "ok": False, "errors": [{"code": "WEAK_PASSWORD", "field": "newPassword"}]
    }  # fmt: skip


@pytest.mark.parametrize("id", ["x", to_global_id("Booking", SESSION), to_global_id("Session", "not-a-uuid")])
async def test_a_malformed_id_of_a_session_is_not_found(id: str, ask: Any, backends: Backends, token: str) -> None:
    answer = await ask(
        f'mutation {{ revokeSession(id: "{id}") {{ ok errors {{ code }} }} }}', token=token, headers=ENGLISH
    )

    assert answer["data"]["revokeSession"] == {"ok": False, "errors": [{"code": "NOT_FOUND"}]}
    assert backends.calls.total() == 0


async def test_a_foreign_session_is_not_found(ask: Any, backends: Backends, token: str) -> None:
    backends.world.refusals["RevokeSession"] = NotFound()

    answer = await ask(f'mutation {{ revokeSession(id: "{SESSION_ID}") {{ ok errors {{ code }} }} }}', token=token)

    assert answer["data"]["revokeSession"] == {"ok": False, "errors": [{"code": "NOT_FOUND"}]}


async def test_a_traveller_sees_their_sessions_and_what_happened(
    ask: Any, backends: Backends, token: str, traveller_id: UUID
) -> None:
    backends.world.sessions[str(traveller_id)] = [
        users_pb2.Session(
            id=SESSION, created_at=timestamp(), last_used_at=timestamp(1), user_agent="Mozilla/5.0",
            device="Firefox on Linux", ip_address="198.51.100.7", current=True,
        )
    ]  # fmt: skip
    backends.world.security_events[str(traveller_id)] = [users_pb2.SecurityEvent(at=timestamp(), type="signed_in")]

    answer = await ask(
        """query ($id: ID!) { me { sessions { id createdAt lastUsedAt userAgent device ipAddress current }
           securityEvents(first: 5) { edges { cursor node { at type userAgent ipAddress } } pageInfo { hasNextPage } } }
           node(id: $id) { id ... on Session { current } } }""",
        token=token, id=SESSION_ID,
    )  # fmt: skip

    assert answer["data"]["me"]["sessions"] == [
        {
            "id": SESSION_ID, "createdAt": "2026-11-23T12:00:00.000Z", "lastUsedAt": "2026-11-24T12:00:00.000Z",
            "userAgent": "Mozilla/5.0", "device": "Firefox on Linux", "ipAddress": "198.51.100.7", "current": True,
        }
    ]  # fmt: skip
    (edge,) = answer["data"]["me"]["securityEvents"]["edges"]
    assert edge["node"] == {"at": "2026-11-23T12:00:00.000Z", "type": "signed_in", "userAgent": None, "ipAddress": None}
    assert answer["data"]["node"] == {"id": SESSION_ID, "current": True}
