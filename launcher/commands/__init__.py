"""One module per command of manage_all.py; each parses nothing, it is called by cli.py."""
