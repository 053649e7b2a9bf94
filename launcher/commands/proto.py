"""`proto`: make contracts/ from proto/."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from launcher.platform import ROOT
from launcher.refusal import Refusal

GENERATED: Final = ROOT / "contracts"
IMPORTS: Final = re.compile(r"^(from|import) travel\.", re.MULTILINE)
MODULES: Final = re.compile(r"(?<!contracts\.)\btravel\.([a-z]+)\.v1\.([a-z]+_pb2)")
PLUGINS: Final = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
HAS_SERVICE: Final = re.compile(r"^(class |def add)", re.MULTILINE)


def proto() -> int:
    """Generate contracts/ from proto/, touching only files that differ. Raises Refusal."""
    with tempfile.TemporaryDirectory() as workplace:
        sources = generate(Path(workplace))
        _replace(GENERATED, Path(workplace))
    print(f"{GENERATED.relative_to(ROOT)}/ is generated from {sources} files of proto/.")
    return 0


def stale() -> list[str]:
    """Return the files of contracts/ that differ from what proto/ generates now. Raises Refusal."""
    with tempfile.TemporaryDirectory() as workplace:
        out = Path(workplace)
        generate(out)
        generated = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.py*")}
    committed = {
        path.relative_to(GENERATED): path.read_bytes()
        for path in GENERATED.rglob("*.py*")
        if "__pycache__" not in path.parts
    }
    return sorted(
        str(path) for path in generated.keys() | committed.keys() if generated.get(path) != committed.get(path)
    )


def check() -> int:
    """Print every file that `proto` would change, and return 1 if there is one. Raises Refusal."""
    outdated = stale()
    for path in outdated:
        print(f"contracts/{path} differs from what proto/ generates. Type: ./manage_all.py proto")
    return 1 if outdated else 0


def generate(out: Path) -> int:
    """Generate messages, stubs and their types into `out`, importable as `contracts.travel.…`.

    Return the number of files in proto/. Raises Refusal if protoc refuses one.
    """
    well_known = _folder_of("grpc_tools") / "_proto"
    plugins = [f"--plugin={name}={Path(sys.executable).parent / name}" for name in PLUGINS]
    sources = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    outputs = [
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--mypy_grpc_out=quiet:{out}",
    ]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto", f"-I{well_known}", *plugins, *outputs, *sources]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise Refusal("protoc refused the files of proto/: see its messages above.")
    for path in sorted(out.rglob("*.py*")):
        text = IMPORTS.sub(r"\1 contracts.travel.", path.read_text())
        path.write_text(MODULES.sub(r"contracts.travel.\1.v1.\2", text))
    for path in out.rglob("*_pb2_grpc.py"):
        if not HAS_SERVICE.search(path.read_text()):  # it would hold no stubs
            path.unlink()
            path.with_suffix(".pyi").unlink(missing_ok=True)
    for folder in (out, *(path for path in out.rglob("*") if path.is_dir())):
        (folder / "__init__.py").touch()
    return len(sources)


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Refusal(f"{package} is missing from .venv.", "rm -rf .venv && ./manage_all.py doctor")
    return Path(spec.origin).parent


def _replace(target: Path, new: Path) -> None:
    """Give `target` exactly the content of `new`. Write only files that differ."""
    wanted = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    for path in sorted(target.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.relative_to(target) not in wanted:
            path.unlink()
    for name in sorted(wanted):
        source, copy = new / name, target / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
