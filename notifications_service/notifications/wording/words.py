"""The words of one kind of mail, before the values in braces are filled in."""

from dataclasses import dataclass

from shared.text import Text


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one kind of mail. The optional paragraphs depend on refunds, holds, moves, documents and links."""

    preheader: Text
    heading: Text
    body: tuple[Text, ...]
    with_refund: Text | None = None
    without_refund: Text | None = None
    unpaid: Text | None = None
    if_held: Text | None = None
    if_free: Text | None = None
    if_not_free: Text | None = None
    with_document: Text | None = None
    with_link: Text | None = None
    button: Text | None = None
    notes: tuple[Text, ...] = ()
