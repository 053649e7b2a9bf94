"""Every RPC of every service, with each kind of missing, wrong and foreign credential.

The RPCs come from the descriptors, so that a new one is walked too. It fails until callers.py says who may call it.
"""

import base64
import importlib
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from shared.auth.credentials import sign
from tests.journeys.api import address
from tests.journeys.travellers import Traveller
from tests.security.bad_tokens import bad_tokens
from tests.security.callers import RULES, SERVICES

OWNERS = ("users", "destinations", "bookings", "notifications")


def methods_of(owner: str) -> dict[str, MethodDescriptor]:
    """Return the RPCs of a service by name."""
    module = importlib.import_module(f"contracts.travel.{owner}.v1.{owner}_pb2")
    return {
        method.name: method for service in module.DESCRIPTOR.services_by_name.values() for method in service.methods
    }


WALK = [(owner, name) for owner in OWNERS for name in methods_of(owner)]


def private_key(service: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(json.loads(address("SERVICE_PRIVATE_KEYS"))[service]))


def credential(service: str, audience: str, *, now: float | None = None, key: Ed25519PrivateKey | None = None) -> str:
    return sign(name=service, key=key or private_key(service), audience=audience, now=now or time.time())


@pytest.fixture(scope="module")
def channels() -> Iterator[dict[str, grpc.Channel]]:
    opened = {owner: grpc.insecure_channel(os.environ[f"{owner.upper()}_GRPC"]) for owner in OWNERS}
    yield opened
    for channel in opened.values():
        channel.close()


def refusal(channel: grpc.Channel, method: MethodDescriptor, *, service: str = "", token: str = "") -> tuple[str, str]:
    """Call with an empty request. Return the status and the code of the refusal; ("OK", "") for an answer."""
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    options = {"request_serializer": request.SerializeToString, "response_deserializer": response.FromString}
    metadata = [("x-service-credential", service)] if service else []
    if token:
        metadata.append(("authorization", f"Bearer {token}"))
    try:
        if method.server_streaming:
            next(channel.unary_stream(path, **options)(request(), metadata=metadata, timeout=10))
        else:
            channel.unary_unary(path, **options)(request(), metadata=metadata, timeout=10)
    except grpc.RpcError as error:
        return error.code().name, _code(dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b""))
    return "OK", ""


def _code(details: Any) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(details).details:
        if detail.Unpack(info):
            return info.reason
    return ""


UNAUTHENTICATED = ("UNAUTHENTICATED", "UNAUTHENTICATED")


@pytest.mark.parametrize("owner", OWNERS)
def test_every_rpc_has_a_rule(owner):
    """Seen failing with a method of the protocol that callers.py did not name."""
    assert set(methods_of(owner)) == set(RULES[owner])


@pytest.mark.parametrize(("owner", "name"), WALK)
def test_an_rpc_refuses_every_wrong_service_credential(owner, name, channels):
    """Seen failing for a method whose guard was taken away (it was answered)."""
    method, rule = methods_of(owner)[name], RULES[owner][name]
    allowed = min(rule.callers)
    another = next(service for service in SERVICES if service != allowed)
    wrong = {
        "none": "",
        "garbage": "x",
        "expired": credential(allowed, owner, now=time.time() - 400),
        "for another service": credential(allowed, next(s for s in OWNERS if s != owner)),
        "signed by another service": credential(allowed, owner, key=private_key(another)),
        "signed by a stranger": credential(allowed, owner, key=Ed25519PrivateKey.generate()),
        "of an unknown service": credential("billing", owner, key=Ed25519PrivateKey.generate()),
        "without an end": jwt.encode({"iss": allowed, "aud": owner, "token_use": "service"}, private_key(allowed), algorithm="EdDSA"),
    }  # fmt: skip

    answers = {kind: refusal(channels[owner], method, service=value) for kind, value in wrong.items()}

    assert answers == dict.fromkeys(wrong, UNAUTHENTICATED)


@pytest.mark.parametrize(("owner", "name"), WALK)
def test_an_rpc_refuses_every_service_that_it_does_not_list(owner, name, channels):
    """Seen failing for a method that listed one service more."""
    method, rule = methods_of(owner)[name], RULES[owner][name]

    answers = {
        service: refusal(channels[owner], method, service=credential(service, owner))
        for service in SERVICES
        if service not in rule.callers
    }

    assert answers == dict.fromkeys(answers, ("PERMISSION_DENIED", "FORBIDDEN"))


@pytest.mark.parametrize(("owner", "name"), WALK)
def test_an_rpc_for_travellers_refuses_every_bad_token(owner, name, channels, traveller: Traveller):
    """A token that is not needed is not read, except where it is optional: a bad one is then refused too.

    Seen failing for a method with `traveller="none"` instead of `required`, which did not ask who the traveller was.
    """
    method, rule = methods_of(owner)[name], RULES[owner][name]
    service = credential(min(rule.callers), owner)
    bad = bad_tokens(traveller)

    answers = {kind: refusal(channels[owner], method, service=service, token=token) for kind, token in bad.items()}
    without_token = refusal(channels[owner], method, service=service)

    if rule.traveller == "none":
        assert UNAUTHENTICATED not in (without_token, *answers.values())
    else:
        assert answers == dict.fromkeys(bad, UNAUTHENTICATED)
        assert (without_token == UNAUTHENTICATED) is (rule.traveller == "required")
