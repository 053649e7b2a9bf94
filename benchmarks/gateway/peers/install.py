"""Installs what the peers need into the state folder: nothing of it is a dependency of the platform."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent


def python_programs() -> Path:
    """Return the folder of programs of the peers' virtual environment. Make it if it is missing or outdated."""
    home, wanted = _home() / "python", HERE / "requirements.txt"
    if not _is_current(home, wanted):
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", "--no-deps", "-r", wanted], check=True)
        _note(home, wanted)
    return home / "bin"


def node_modules(project: Path) -> Path:
    """Return the installed copy of a Node project. Install it if it is missing or outdated."""
    home, wanted = _home() / project.name, project / "package-lock.json"
    if not _is_current(home, wanted):
        shutil.copytree(project, home, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True)
        _note(home, wanted)
    shutil.copytree(project, home, dirs_exist_ok=True)
    return home


def _home() -> Path:
    home = Path(os.environ["TRAVEL_VAR"]) / "bench"
    home.mkdir(exist_ok=True)
    return home


def _is_current(home: Path, wanted: Path) -> bool:
    stamp = home / ".made-from"
    return stamp.exists() and stamp.read_text() == _digest(wanted)


def _note(home: Path, wanted: Path) -> None:
    (home / ".made-from").write_text(_digest(wanted))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
