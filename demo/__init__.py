"""`./manage_all.py demo`: a traveller who books, pays and cancels a trip through the platform's public doors alone.

GraphQL over HTTP, the live status over WebSocket, and the mails where the embedded mail server puts them. Nothing here knows
a service, a database or a broker: what it shows is what any client sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from demo.api import Api
from demo.failure import DemoFailed
from demo.full import Full
from demo.journey import Journey
from demo.mailbox import Mailbox
from demo.narration import Narrator
from demo.staff import Staff


@dataclass(frozen=True, slots=True)
class DemoEnvironment:
    """Where the platform's public doors are, and where the demo may leave its souvenirs.

    `mail` is the Maildir, `output` a folder for saved attachments, `links` what to name at the end: title -> address; `staff` is who
    schedules and cancels a departure in the whole demo.
    """

    gateway_url: str
    mail: Path
    output: Path
    links: Mapping[str, str] = field(default_factory=dict)
    staff: Staff | None = None


def run(environment: DemoEnvironment, console: Console | None = None, *, full: bool = False) -> int:
    """Play the journey and return the exit code: 0, or 1 after one line that says what went wrong and in which step."""
    narrator = Narrator(console or Console(highlight=False))
    with Api(environment.gateway_url, notice=narrator.notice) as api:
        mailbox = Mailbox(environment.mail)
        journey = Journey(api=api, mailbox=mailbox, narrator=narrator, output=environment.output)
        try:
            journey.play()
            if full and environment.staff:
                Full(environment.gateway_url, mailbox, narrator, environment.staff).play()
        except DemoFailed as failure:
            narrator.failed(str(failure))
            return 1
        except KeyboardInterrupt:
            narrator.failed("interrupted")
            return 130
        narrator.farewell({**environment.links, **journey.souvenirs})
    return 0
