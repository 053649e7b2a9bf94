"""`python -m launcher`: run by manage_all.py."""

from launcher.cli import main

main()
