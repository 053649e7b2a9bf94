"""`proto`: shared/pb from proto/."""

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

GENERATED: Final = ROOT / "shared" / "pb"
IMPORTS: Final = re.compile(r"^(from|import) travel\.", re.MULTILINE)
MODULES: Final = re.compile(r"(?<!shared\.pb\.)\btravel\.([a-z]+)\.v1\.([a-z]+_pb2)")
HAS_SERVICE: Final = re.compile(r"^(class |def add)", re.MULTILINE)


def proto() -> int:
    """Generate shared/pb from proto/: messages, stubs and their types, importable as `shared.pb.travel.…`. Raises Refusal."""
    well_known = _folder_of("grpc_tools") / "_proto"
    sources = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as workplace:
        out = Path(workplace)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc", "-Iproto", f"-I{well_known}"),
                *(f"--python_out={out}", f"--grpc_python_out={out}"),
                *(f"--mypy_out=quiet:{out}", f"--mypy_grpc_out=quiet:{out}"),
                *(
                    f"--plugin={name}={Path(sys.executable).parent / name}"
                    for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
                ),
                *sources,
            ],
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            raise Refusal("protoc refused proto/: see above.")
        for path in sorted(out.rglob("*.py*")):
            text = MODULES.sub(r"shared.pb.travel.\1.v1.\2", IMPORTS.sub(r"\1 shared.pb.travel.", path.read_text()))
            path.write_text(text)
        for path in (*out.rglob("*_pb2_grpc.py"), *out.rglob("*_pb2_grpc.pyi")):
            if not HAS_SERVICE.search(path.read_text()):
                path.unlink()  # a file of messages has no stubs
        for folder in (out, *(path for path in out.rglob("*") if path.is_dir())):
            (folder / "__init__.py").touch()
        _replace(GENERATED, out)
    print(f"{len(sources)} files of proto/ -> {GENERATED.relative_to(ROOT)}")
    return 0


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Refusal(f"{package} is missing from .venv.", "rm -rf .venv && ./manage_all.py doctor")
    return Path(spec.origin).parent


def _replace(target: Path, new: Path) -> None:
    """Make `target` hold exactly what `new` does, touching only files that differ."""
    wanted = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    for path in sorted(target.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.relative_to(target) not in wanted:
            path.unlink()
    for name in sorted(wanted):
        source, copy = new / name, target / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
