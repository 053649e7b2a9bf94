"""Travellers who are told by SMS too: their phone numbers are verified."""

import json
import os
import random
import re
from pathlib import Path

from shared.testing import eventually
from tests.journeys.api import address
from tests.journeys.travellers import Traveller

VERIFY = "mutation ($code: String) { verifyPhone(code: $code) { ok errors { code } } }"
PROFILE = {"notify_by_sms": True}


def told_by_sms() -> Traveller:
    """Return a new traveller with a verified phone number who wants SMS."""
    traveller = Traveller.register(first_name="Sam")
    number = f"+33612{random.randrange(10**6):06d}"
    changed = traveller.rest("PATCH", "/api/v1/profile/", json={**PROFILE, "phone": number})
    assert changed.status_code == 200, changed.text
    assert traveller.graphql(VERIFY).field("verifyPhone") == {"ok": True, "errors": []}
    code = eventually(lambda: _code_sent_to(number), timeout=30)
    assert traveller.graphql(VERIFY, code=code).field("verifyPhone") == {"ok": True, "errors": []}
    return traveller


def _code_sent_to(number: str) -> str | None:
    folder = Path(os.environ.get("SMS_DIR") or Path(address("TRAVEL_VAR")) / "sms")
    for path in folder.glob("*.json"):
        sms = json.loads(path.read_text())
        if sms["to"] == number and (found := re.search(r"\b\d{6}\b", sms["text"])):
            return found[0]
    return None
