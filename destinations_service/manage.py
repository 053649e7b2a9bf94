#!/usr/bin/env python
"""Django's command line for destinations_service."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command; the repository's root takes the place of this folder on the path."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "destinations_service.config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
