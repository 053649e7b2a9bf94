"""The error for what the launcher cannot or will not do."""


class Refusal(Exception):
    """Ends the command with exit code 1. `message` says what is wrong, `hint` what to type; "" if nothing helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
