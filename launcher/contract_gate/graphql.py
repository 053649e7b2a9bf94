"""The gate of the GraphQL schema: the committed schema is the served one, and breaks no client of the last release."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from graphql import DocumentNode, NameNode, Node, build_ast_schema, find_breaking_changes, parse

from launcher.contract_gate.baseline import COMMITTED
from launcher.contract_gate.lines import first_difference
from launcher.platform import ROOT
from launcher.refusal import Refusal

SCHEMA: Final = ROOT / "gateway_service" / "schema.graphql"
_WRITE: Final = "./manage_all.py manage gateway graphql_schema"
_OF_ENUM: Final = re.compile(r"(?P<value>\w+) was (?:removed from|added to) enum type (?P<type>\w+)")
_OF_FIELD: Final = re.compile(r"\b(?P<type>[A-Z]\w*)\.(?P<field>\w+)")
_REQUIRED_INPUT: Final = re.compile(r"required field (?P<field>\w+) on input type (?P<type>\w+)")
_ARGUMENT: Final = re.compile(r"\barg (?P<argument>\w+)")
_TYPE: Final = re.compile(r"\b[A-Z]\w*")


def check() -> int:
    """Print every complaint, and return 1 if there is one. Raises Refusal if the gateway cannot print its schema."""
    complaints = [*_outdated(), *breaks()]
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


def breaks(baseline: Path = COMMITTED.graphql, schema: Path = SCHEMA) -> Iterator[str]:
    """Yield a complaint for each change since the last release that breaks a client.

    It names the line in the schema, or the line in the baseline of what the schema no longer has.
    """
    old, new = (parse(path.read_text(encoding="utf-8")) for path in (baseline, schema))
    for change in find_breaking_changes(build_ast_schema(old), build_ast_schema(new)):
        path = _coordinate(change.description)
        line, file = _line(new, path), schema
        if line is None:
            line, file = _line(old, path), baseline
        place = f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name}:{line or 1}"
        yield f"{place}: {change.description.rstrip('.')}. A client of the last release breaks."


def _outdated() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "schema.graphql"
        command = [sys.executable, "gateway_service/manage.py", "graphql_schema", f"--out={out}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refusal(f"The gateway cannot print its schema:\n{done.stderr.strip()[-2_000:]}")
        served = out.read_text(encoding="utf-8")
    if difference := first_difference(SCHEMA, served):
        yield f"{difference} Type: {_WRITE}"


def _coordinate(description: str) -> tuple[str, ...]:
    """Return the type, the field or value, and the argument that the description of a change names."""
    if found := _OF_ENUM.search(description):
        return found["type"], found["value"]
    if found := _REQUIRED_INPUT.search(description):
        return found["type"], found["field"]
    if found := _OF_FIELD.search(description):
        argument = _ARGUMENT.search(description)
        return (found["type"], found["field"], *((argument["argument"],) if argument else ()))
    found = _TYPE.search(description)
    return (found[0],) if found else ()


def _line(document: DocumentNode, path: tuple[str, ...]) -> int | None:
    """Return the line at which the definition at `path` begins, or None if the document has none."""
    nodes: tuple[Node, ...] = document.definitions
    node: Node | None = None
    for name in path:
        node = next((node for node in nodes if (named := _name(node)) is not None and named.value == name), None)
        if node is None:
            return None
        nodes = tuple(child for part in ("fields", "values", "arguments") for child in getattr(node, part, None) or ())
    found = _name(node)
    return found.loc.start_token.line if found is not None and found.loc is not None else None


def _name(node: Node | None) -> NameNode | None:
    name = getattr(node, "name", None)
    return name if isinstance(name, NameNode) else None
