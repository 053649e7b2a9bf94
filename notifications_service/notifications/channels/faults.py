"""Why a channel did not accept a message. Each exception says whose fault it was, and so what happens next.

The recipient's fault: MessageRefused and AddressRefused. The message fails.
Our fault: ChannelUnusable. The channel is paused, and the message waits without a mark against it.
A passing fault: TryLater. The message is tried again later.
Nobody knows: OutcomeUnknown, only for SMS. The message fails, because an SMS must never be sent twice.
"""


class ChannelFault(Exception):
    """The channel did not accept the message. The text has no address, number or content."""


class MessageRefused(ChannelFault):
    """This message will never be accepted. That says nothing about other messages to the address."""


class AddressRefused(MessageRefused):
    """No message to `address` will ever be accepted."""

    def __init__(self, cause: str, *, address: str) -> None:
        super().__init__(cause)
        self.address = address


class AddressMalformed(AddressRefused):
    """The address is malformed. The provider was not asked."""

    def __init__(self, *, address: str) -> None:
        super().__init__("the address is malformed", address=address)


class ChannelUnusable(ChannelFault):
    """The provider refuses us, or our settings are wrong: no message can be sent until people mend it."""


class TryLater(ChannelFault):
    """The provider cannot be reached, or asks to be tried later. An SMS was certainly not accepted."""


class OutcomeUnknown(ChannelFault):
    """The provider may have accepted the SMS. It must not be sent again."""
