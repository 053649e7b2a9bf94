"""What every service's settings are made of: one module per concern, each a function that reads the environment and returns a value.

A service's `config/settings/` composes them. A missing or malformed variable ends the process with one line that names it.
"""
