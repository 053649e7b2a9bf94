"""`lint` runs the contract gate, and fails for a complaint and for a refusal."""

import os
import subprocess
from pathlib import Path

import pytest

from launcher.commands.lint import checks, in_python
from launcher.platform import ROOT, Platform


def test_lint_compares_every_contract_with_the_last_release(tmp_path: Path) -> None:
    assert {"proto, breaking", "events", "graphql", "documents, generated"} <= set(checks(Platform(var=tmp_path)))


@pytest.mark.parametrize(
    ("body", "code", "printed"),
    [
        ("return 0", 0, ""),
        ("print('events.py:1: broken'); return 1", 1, "events.py:1: broken\n"),
        ("raise Refusal('no sample', 'write one')", 1, "no sample\nType: write one\n"),
    ],
)
def test_the_exit_code_of_a_check_is_that_of_its_complaints(body: str, code: int, printed: str, tmp_path: Path) -> None:
    """Seen failing while a returned 1 was dropped: lint passed although the check complained."""
    (tmp_path / "planted.py").write_text(f"from launcher.refusal import Refusal\n\ndef check() -> int:\n    {body}\n")

    done = subprocess.run(
        in_python("planted"), cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "TERM": "dumb"},
    )  # fmt: skip

    assert (done.returncode, done.stdout + done.stderr) == (code, printed)
