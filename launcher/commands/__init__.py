"""One module for each command of manage_all.py. cli.py parses the options and calls them."""
