"""The gateway's management commands, run from the repository's root."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run one command."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_service.config.settings")
    from django.core.management import execute_from_command_line  # the path comes first

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
