"""What each consumer says of the events: which it handles, and which it ignores.

The answer is read from the text of the consumers' modules. One process cannot import five services.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

from google.protobuf.message import Message

from launcher.platform import ROOT
from launcher.refusal import Refusal
from shared.events import CONSUMERS, EVENTS

HANDLES: Final = "handles"
IGNORES: Final = "ignores"
_BY_NAME: Final = {message.__name__: message for message in EVENTS}


@dataclass(frozen=True, slots=True)
class Declaration:
    """A consumer handles or ignores `message`. `handler` is the function, and is empty for an ignored message."""

    consumer: str
    message: type[Message]
    file: str
    line: int
    handler: str = ""


def read_declarations(root: Path = ROOT) -> list[Declaration]:
    """Return what the consumers' modules say. Raises Refusal for a name that is no event."""
    return [
        declaration
        for consumer, path in consumer_modules(root).items()
        for declaration in _of_module(consumer, path, root)
    ]


def consumer_modules(root: Path = ROOT) -> Mapping[str, Path]:
    """Return the module of each consumer's handlers. Raises Refusal if a consumer has none, or several."""
    modules = {}
    for consumer in CONSUMERS:
        found = sorted((root / f"{consumer}_service").glob("*/consumers.py"))
        if len(found) != 1:
            raise Refusal(f"{consumer}_service must have one module consumers.py in an app, and has {len(found)}.")
        modules[consumer] = found[0]
    return modules


def _of_module(consumer: str, path: Path, root: Path) -> Iterator[Declaration]:
    for call, handler in _calls(ast.parse(path.read_text(encoding="utf-8"))):
        for argument in call.args:
            file = str(path.relative_to(root))
            name = ast.unparse(argument).rpartition(".")[2]
            if name not in _BY_NAME:
                raise Refusal(f"{file}:{argument.lineno}: {name} is no event of shared/events.py.")
            yield Declaration(consumer, _BY_NAME[name], file, argument.lineno, handler)


def _calls(module: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call of `handles`, with the name of its function, and each call of `ignores`."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            yield from ((decorator, node.name) for decorator in node.decorator_list if _calls_to(decorator, HANDLES))
        elif isinstance(node, ast.Expr) and _calls_to(node.value, IGNORES):
            yield node.value, ""


def _calls_to(node: ast.expr, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
