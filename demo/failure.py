"""The one way in which the demo stops."""


class DemoFailed(Exception):
    """Something did not happen that should have; the message is one line for the person at the terminal."""
