"""`python -m launcher`, what manage_all.py hands over to."""

from launcher.cli import main

main()
