"""`./manage_all.py demo`: a traveller books, pays and cancels a trip through the platform's public interfaces only.

They are GraphQL over HTTP, the live status over WebSocket, and the mails in the Maildir of the embedded mail server.
The demo knows no service, database or broker: it shows what every client sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from demo.api import Api
from demo.failure import DemoFailed
from demo.full import FullDemo
from demo.journey import Journey
from demo.mailbox import Mailbox
from demo.narration import Narrator
from demo.staff import Staff


@dataclass(frozen=True, slots=True)
class DemoEnvironment:
    """Where the platform's public interfaces are, and where the demo saves files.

    `mail` is the Maildir, `output` the folder for saved attachments, and `links` the addresses to print at the end, by
    title. `staff` schedules and cancels a departure in the full demo.
    """

    gateway_url: str
    mail: Path
    output: Path
    links: Mapping[str, str] = field(default_factory=dict)
    staff: Staff | None = None


def run(environment: DemoEnvironment, console: Console | None = None, *, full: bool = False) -> int:
    """Play the demo and return the exit code: 0, or 1 after a line that says what went wrong in which step."""
    narrator = Narrator(console or Console(highlight=False))
    with Api(environment.gateway_url, notice=narrator.notice) as api:
        mailbox = Mailbox(environment.mail)
        journey = Journey(api=api, mailbox=mailbox, narrator=narrator, output=environment.output)
        try:
            journey.play()
            if full and environment.staff:
                FullDemo(environment.gateway_url, mailbox, narrator, environment.staff).play()
        except DemoFailed as failure:
            narrator.failed(str(failure))
            return 1
        except KeyboardInterrupt:
            narrator.failed("interrupted")
            return 130
        narrator.finish({**environment.links, **journey.results})
    return 0
