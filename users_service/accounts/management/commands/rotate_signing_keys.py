"""`manage users rotate_signing_keys`: replace the keys that sign access tokens."""

from datetime import timedelta
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from shared.auth.jwks import REFRESH_SECONDS
from shared.commands import MISUSED, OperatorCommand, count
from users_service.accounts import services, signing
from users_service.accounts.services import Rotation

# A verifier fetches the key set every REFRESH_SECONDS, in the background.
DELAY_SECONDS: Final = int(REFRESH_SECONDS) + 60


class Command(OperatorCommand):
    """Publish a new key now, and let it replace the present key when every verifier knows it.

    With `--compromised`, replace every key at once. Nobody is signed out: refresh tokens do not depend on these keys.
    """

    help = "Replace the keys that sign access tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the delay, or that the keys are compromised."""
        parser.add_argument(
            "--delay",
            type=count,
            metavar="SECONDS",
            help=f"how long the new key is published before it signs; {DELAY_SECONDS} if not given",
        )
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="withdraw every present key at once: tokens that they signed are refused within seconds",
        )

    def work(self, **options: Any) -> bool:
        """Replace the keys and say what follows. Raises CommandError for both options together."""
        if options["compromised"]:
            if options["delay"] is not None:
                raise CommandError("--delay and --compromised exclude each other.", returncode=MISUSED)
            self._withdrawn(services.replace_compromised_signing_keys())
        else:
            delay = options["delay"] or DELAY_SECONDS
            self._rotated(services.rotate_signing_keys(delay=timedelta(seconds=delay)), delay=delay)
        return True

    def _rotated(self, rotation: Rotation, *, delay: int) -> None:
        self.stdout.write(f"Key {rotation.kid} is published, and signs from {rotation.signs_from:%F %T} UTC.")
        until = signing.published_until(rotation.signs_from)
        for kid in rotation.former:
            self.stdout.write(f"Key {kid} signs until then, and is published until {until:%F %T} UTC.")
        if rotation.former and delay < DELAY_SECONDS:
            self.stdout.write(
                f"A verifier that does not read Kafka learns new keys every {REFRESH_SECONDS:.0f} s: for"
                f" {DELAY_SECONDS - delay} s it may refuse tokens of the new key."
            )
        self.stdout.write("Nothing else is to do.")

    def _withdrawn(self, rotation: Rotation) -> None:
        self.stdout.write(f"Key {rotation.kid} signs from now on.")
        for kid in rotation.former:
            self.stdout.write(f"Key {kid} is withdrawn.")
        self.stdout.write(
            "Every verifier is told by event to fetch the key set, and does so within seconds. While Kafka or the relay"
            f" of users_service is away, a verifier keeps the former keys for up to {REFRESH_SECONDS:.0f} s.\n"
            "Travellers stay signed in: their clients refresh their access token.\n"
            "What is to do next: docs/runbooks/key-leak.md."
        )
