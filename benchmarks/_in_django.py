"""Run a module of this folder inside a service's Django, bookings_service's by default: `python -m benchmarks._in_django MODULE ARGUMENTS…`."""

import os
import runpy
import sys

import django


def main() -> None:
    """Set Django up, then run the module with the remaining arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookings_service.config.settings")
    django.setup()
    sys.argv = sys.argv[1:]
    runpy.run_module(f"benchmarks.{sys.argv[0]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
