"""Documents that clients name by their hash: registered by themselves, or by a file."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import override_settings

from gateway_service.gateway.execution import persisted
from gateway_service.registered_documents import registered_documents, sha256

QUERY = "{ me { id } }"
OTHER = "{ __typename }"


@pytest.fixture(autouse=True)
def _nothing_registered() -> None:
    persisted._registered.clear()


def named(digest: object, version: object = 1) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": digest}}}


async def sent(client: httpx.AsyncClient, body: dict[str, Any]) -> tuple[int, str]:
    """Return the status and the code of the first error, `OK` without one."""
    response = await client.post("/graphql", json=body)
    errors = response.json().get("errors")
    return response.status_code, errors[0]["extensions"]["code"] if errors else "OK"


async def test_a_client_registers_a_document_by_sending_it_once(client: httpx.AsyncClient) -> None:
    digest = sha256(QUERY)

    answers = [await sent(client, body) for body in (named(digest), {"query": QUERY, **named(digest)}, named(digest))]

    assert answers == [(200, "PERSISTED_QUERY_NOT_FOUND"), (200, "OK"), (200, "OK")]


async def test_a_document_is_never_registered_under_the_hash_of_another(client: httpx.AsyncClient) -> None:
    """Otherwise one client could decide what another runs. Seen failing without the comparison in document_text."""
    assert await sent(client, {"query": OTHER, **named(sha256(QUERY))}) == (400, "BAD_USER_INPUT")
    assert await sent(client, named(sha256(QUERY))) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_an_invalid_document_is_not_registered(client: httpx.AsyncClient) -> None:
    invalid = "{ nothingOfTheKind }"

    assert await sent(client, {"query": invalid, **named(sha256(invalid))}) == (400, "BAD_USER_INPUT")
    assert await sent(client, named(sha256(invalid))) == (200, "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize(
    "extensions",
    [
        named("x"),
        named(None),
        named(sha256(QUERY).upper()),
        named(sha256(QUERY), 2),
        {"extensions": {"persistedQuery": 1}},
    ],
)
async def test_a_malformed_hash_is_refused(extensions: dict[str, Any], client: httpx.AsyncClient) -> None:
    assert await sent(client, {"query": QUERY, **extensions}) == (400, "BAD_USER_INPUT")


async def test_other_extensions_are_ignored(client: httpx.AsyncClient) -> None:
    for extensions in (None, 7, [], {"tracing": True}):
        assert await sent(client, {"query": QUERY, "extensions": extensions}) == (200, "OK")


async def test_registered_documents_are_bounded(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (every document is found) with a plain dict."""
    documents = [f"{{ __typename # {number:030000}\n}}" for number in range(140)]
    for text in documents:
        assert await sent(client, {"query": text, **named(sha256(text))}) == (200, "OK")

    assert await sent(client, named(sha256(documents[0]))) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert await sent(client, named(sha256(documents[-1]))) == (200, "OK")


async def test_only_documents_of_the_file_run_if_there_is_one(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Seen failing (OK for each) without the check in document_text."""
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({sha256(QUERY): QUERY}))
    with override_settings(GRAPHQL_DOCUMENTS=registered_documents(str(file))):
        assert await sent(client, named(sha256(QUERY))) == (200, "OK")
        assert await sent(client, {"query": QUERY}) == (200, "OK")
        assert await sent(client, {"query": OTHER}) == (403, "DOCUMENT_NOT_REGISTERED")
        assert await sent(client, {"query": OTHER, **named(sha256(OTHER))}) == (403, "DOCUMENT_NOT_REGISTERED")
        assert await sent(client, named(sha256(OTHER))) == (200, "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', json.dumps({sha256(QUERY): OTHER})])
def test_a_file_that_does_not_fit_ends_the_start(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "documents.json"
    file.write_text(content)
    with pytest.raises(SystemExit):
        registered_documents(str(file))
    assert "documents.json" in capsys.readouterr().err
