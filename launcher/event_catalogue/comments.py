"""The comments of proto/, which the generated code does not contain."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from google.protobuf import descriptor_pb2

from launcher.platform import ROOT
from launcher.refusal import Refusal

# The numbers of these fields in descriptor.proto: they form the path of a comment.
_MESSAGES: Final = descriptor_pb2.FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER
_ENUMS: Final = descriptor_pb2.FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER
_FIELDS: Final = descriptor_pb2.DescriptorProto.FIELD_FIELD_NUMBER
_VALUES: Final = descriptor_pb2.EnumDescriptorProto.VALUE_FIELD_NUMBER


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name is defined, and the comment before it on one line. `file` is relative to the repository."""

    file: str
    line: int
    comment: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def read_comments() -> Mapping[str, Place]:
    """Return the place of each message, field, enum and value of proto/, by its full name. Raises Refusal."""
    return {name: place for file in _files() for name, place in _places(file)}


def _files() -> Sequence[descriptor_pb2.FileDescriptorProto]:
    sources = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto", "--include_source_info"]
        command += [f"--descriptor_set_out={out}", *sources]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise Refusal("protoc refused the files of proto/: see its messages above.")
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file


def _places(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, Place]]:
    locations = {tuple(location.path): location for location in file.source_code_info.location}
    for path, name in _names(file):
        location = locations[path]
        comment = " ".join(location.leading_comments.split())
        yield name, Place(file=f"proto/{file.name}", line=location.span[0] + 1, comment=comment)


def _names(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    groups: list[tuple[int, int, Sequence[tuple[_Named, Sequence[_Named]]]]] = [
        (_MESSAGES, _FIELDS, [(message, message.field) for message in file.message_type]),
        (_ENUMS, _VALUES, [(enum, enum.value) for enum in file.enum_type]),
    ]
    for kind, part_kind, definitions in groups:
        for number, (definition, parts) in enumerate(definitions):
            name = f"{file.package}.{definition.name}"
            yield (kind, number), name
            for part_number, part in enumerate(parts):
                yield (kind, number, part_kind, part_number), f"{name}.{part.name}"
