"""Which of the repository's own modules a module imports. The answer is read from its text; nothing is executed."""

import ast
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

# CPython 3.11 counts the depth of a parse once for all threads. If a second thread parses meanwhile, the first gets a
# SystemError.
_ONE_PARSE: Final = threading.Lock()


def with_imports(files: Iterable[Path], *, root: Path) -> set[Path]:
    """Return `files` and every file below `root` that they import, directly or not, inside functions too."""
    known: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in known:
            known.add(file)
            waiting += _imported_by(file, root)
    return known


def _imported_by(file: Path, root: Path) -> Iterator[Path]:
    try:
        with _ONE_PARSE:
            tree = ast.parse(file.read_text())
    except SyntaxError:  # running the file shows the error
        return
    for node in ast.walk(tree):
        for name in _names(node):
            path = root.joinpath(*name.split("."))
            yield from (found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file())


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:  # the repository has no relative imports
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
