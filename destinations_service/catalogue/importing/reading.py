"""Opens the file of an import, and reads its lines with bounded memory."""

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, cast

from destinations_service.catalogue.importing.contracts import Rows
from destinations_service.catalogue.importing.refusals import BadFile

LONGEST_LINE: Final = 65_536  # bytes: a GeoNames line has at most 10,000 letters of alternate names
_CHUNK: Final = 262_144
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_BOM: Final = b"\xef\xbb\xbf"
_DAMAGED: Final = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError)


class Source:
    """The lines of a file. `digest` is that of the content read so far; `read` is how many bytes of the file were."""

    def __init__(self, content: IO[bytes], file: IO[bytes], path: Path) -> None:
        self._content = content
        self._file = file
        self._path = path
        self._digest = sha256()
        self.size: Final = path.stat().st_size
        self.lines = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of the content that was read."""
        return self._digest.hexdigest()

    def rows(self, advance: Callable[[int], Any]) -> Rows:
        """Yield the lines in batches, without their ends. A line that is too long is None, and is never in memory.

        Raises BadFile for UTF-16, and for a damaged archive.
        """
        rest, is_too_long, position = b"", False, 0
        while chunk := self._chunk():
            if not self.lines and not rest and not is_too_long:
                if chunk.startswith(_UTF_16):
                    raise BadFile(file=self._path.name, why="it is UTF-16. Save it as UTF-8.")
                chunk = chunk.removeprefix(_BOM)
            *whole, rest = (rest + chunk).split(b"\n")
            lines: list[bytes | None] = [line if len(line) <= LONGEST_LINE else None for line in whole]
            if lines and is_too_long:
                lines[0], is_too_long = None, False
            if len(rest) > LONGEST_LINE:
                rest, is_too_long = b"", True
            if lines:
                yield self.lines + 1, lines
                self.lines += len(lines)
            advance((self._file.tell() - position) // 1024)
            position += (self._file.tell() - position) // 1024 * 1024
        if rest or is_too_long:
            self.lines += 1
            yield self.lines, [None if is_too_long else rest]

    def _chunk(self) -> bytes:
        try:
            chunk = self._content.read(_CHUNK)
        except _DAMAGED as error:
            raise BadFile(file=self._path.name, why=f"it is damaged ({error or type(error).__name__}).") from None
        self._digest.update(chunk)
        return chunk


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file, or the content of a .zip, .gz or .xz. Raises BadFile. Nothing but a file of this machine is read."""
    if not path.is_file():
        raise BadFile(file=str(path), why="there is no such file. Addresses of the network are not read.")
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadFile(file=str(path), why=f"{(error.strerror or 'it cannot be opened').lower()}.") from None
    with file, _unpacked(file, path) as content:
        yield Source(content, file, path)


@contextmanager
def _unpacked(file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.GzipFile(fileobj=file) as content:
            yield cast("IO[bytes]", content)
    elif suffix == ".xz":
        with lzma.LZMAFile(file) as content:
            yield content
    elif suffix == ".zip":
        with _member(file, path) as content:
            yield content
    else:
        yield io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file


def _member(file: IO[bytes], path: Path) -> IO[bytes]:
    """Open the only data file of an archive. GeoNames adds a readme.txt to some."""
    try:
        archive = zipfile.ZipFile(file)
        names = [name for name in archive.namelist() if not name.endswith(("/", "readme.txt"))]
        if len(names) != 1:
            raise BadFile(file=path.name, why=f"it has {len(names)} files. An archive must have one.")
        return archive.open(names[0])
    except (*_DAMAGED, RuntimeError, OSError) as error:
        raise BadFile(file=path.name, why=f"it is no archive that can be read ({error}).") from None
