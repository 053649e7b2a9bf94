"""The error that ends the demo."""


class DemoFailed(Exception):
    """A step did not have its expected result. The message is one line for the person at the terminal."""
