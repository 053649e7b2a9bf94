"""The bytes of a mail, read back with Python's `email`."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from notifications_service.notifications.channels.mime import Attachment, Mail, build

WORDS = "é – a long line " * 30 + "\n.\n..two dots  \n= \t\nend   "
MAIL = Mail(
    key="1",
    to="lea@example.org",
    subject="Réservé : Lisbonne, trams et azulejos" * 4,
    text=WORDS,
    html=f"<p>{WORDS}</p>",
    language="fr",
    date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    attachments=(Attachment(name="F-1.pdf", subtype="pdf", content=bytes(range(256)) * 100),),
    calendar="BEGIN:é\r\nEND\r\n".encode(),
    calendar_method="REQUEST",
    trace_id="ab" * 16,
)


def test_every_part_is_read_back_as_it_was_written():
    mail = message_from_bytes(build(MAIL), policy=policy.SMTP)

    assert (mail["To"], mail["Subject"], mail["X-Trace-Id"]) == (MAIL.to, MAIL.subject, MAIL.trace_id)
    assert (mail["Content-Language"], mail["Date"].datetime) == ("fr", MAIL.date)
    parts = list(mail.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
        "application/ics", "application/pdf",
    ]  # fmt: skip
    assert not any(part.defects for part in parts)
    text, html, calendar, ics, pdf = parts[2:]
    assert text.get_content().replace("\r\n", "\n") == MAIL.text + "\n"
    assert html.get_content().replace("\r\n", "\n") == MAIL.html + "\n"
    assert calendar.get_content().encode() == MAIL.calendar == ics.get_content()
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert (pdf.get_filename(), pdf.get_content()) == ("F-1.pdf", MAIL.attachments[0].content)


def test_lines_are_short_and_end_with_crlf():
    lines = build(MAIL).split(b"\r\n")

    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert all(line.isascii() for line in lines)


def test_the_same_mail_has_the_same_bytes():
    assert build(MAIL) == build(replace(MAIL))


def test_a_file_with_a_foreign_name_keeps_it():
    name = 'Réçu "1".pdf'
    mail = build(replace(MAIL, attachments=[Attachment(name=name, subtype="pdf", content=b"%PDF")]))

    assert [part.get_filename() for part in message_from_bytes(mail, policy=policy.SMTP).walk()][-1] == name


def test_an_international_address_stays_utf8():
    mail = message_from_bytes(build(replace(MAIL, to="zoé@exämple.org")), policy=policy.SMTP.clone(utf8=True))

    assert mail["To"] == "zoé@exämple.org"


@pytest.mark.parametrize("field", ["to", "subject", "language", "trace_id", "key"])
def test_a_line_break_in_a_header_is_refused(field):
    """Seen failing (no error, or another one, for all but `to`) without the two checks of line breaks."""
    with pytest.raises(ValueError, match="line"):
        build(replace(MAIL, **{field: "a\nBcc: b@example.org"}))
