"""What the launcher cannot or will not do, said in one line with what to type."""


class Refusal(Exception):
    """The command ends with exit code 1: `message` says what is wrong, `hint` what to type (or "")."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
