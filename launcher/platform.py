"""The places of one platform: the checkout, its state folder, its block of ports.

Two platforms have other `var` and `offset`.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from launcher import ports
from launcher.refusal import Refusal

ROOT: Final = Path(__file__).resolve().parent.parent
MARKER: Final = ".travel-platform"  # holds the path of the state folder that it marks


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform on this machine."""

    var: Path
    offset: int = 0
    root: Path = ROOT

    @classmethod
    def from_environment(cls) -> Self:
        """Read TRAVEL_VAR and PORT_OFFSET. Without PORT_OFFSET, a platform that runs keeps its offset.

        Raises Refusal if the offset is not a multiple of 100, or too high.
        """
        var = Path(os.path.abspath(Path(os.environ.get("TRAVEL_VAR") or ROOT / "var").expanduser()))
        given = os.environ.get("PORT_OFFSET") or running_offset(var) or "0"
        if not given.isdecimal() or int(given) % 100 or int(given) > ports.HIGHEST_OFFSET:
            raise Refusal(
                f"PORT_OFFSET is {given!r}: it must be a multiple of 100 between 0 and {ports.HIGHEST_OFFSET}.",
                "PORT_OFFSET=100 ./manage_all.py up",
            )
        return cls(var=var, offset=int(given))

    def port(self, base: int) -> int:
        """Return the port of this platform that corresponds to the port `base` of the plan."""
        return base + self.offset

    @property
    def run(self) -> Path:
        """Pid files and the supervisor's report."""
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def secrets(self) -> Path:
        return self.var / "secrets"

    @property
    def mail(self) -> Path:
        """The Maildir of every mail sent."""
        return self.var / "mail"

    @property
    def sms(self) -> Path:
        """One JSON file per SMS sent."""
        return self.var / "sms"

    @property
    def media(self) -> Path:
        return self.var / "media"

    @property
    def marker(self) -> Path:
        """The file that says that the launcher made the state folder, so that `reset` may delete it."""
        return self.var / MARKER

    def test_platforms(self) -> tuple["Platform", "Platform", "Platform"]:
        """Return the platforms of test runs, whose state is in this state folder.

        They are the infrastructure of each of the two lanes of suites, and the whole one.
        """
        first, second, whole = (
            replace(self, var=self.var / "test" / name) for name in ("infrastructure", "infrastructure-2", "platform")
        )
        return first, second, whole

    def make_state_folder(self) -> None:
        """Make the state folder, and mark it if it is new or empty. A folder that held anything before is not marked.

        Raises OSError.
        """
        self.var.mkdir(parents=True, exist_ok=True)
        if not any(self.var.iterdir()):
            self.marker.write_text(f"{self.var}\n")

    def make_folders(self) -> None:
        """Make the state folder, and the folders in it, which only their owner may enter.

        Everybody may enter the state folder itself, because PostgreSQL does not run as root. Raises Refusal if a folder
        cannot be made.
        """
        try:
            self.make_state_folder()
            for folder in (self.run, self.log, self.sms, self.media, self.secrets):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)  # an older version may have made it
        except OSError as error:
            raise Refusal(
                f"The state folder {self.var} cannot be made: {error.strerror}.",
                "TRAVEL_VAR=~/travel ./manage_all.py up",
            ) from error


def running_offset(var: Path) -> str:
    """Return the offset that the supervisor of the platform in `var` wrote down; "" if no platform runs there."""
    try:
        return (var / "run" / "offset").read_text()
    except OSError:
        return ""
