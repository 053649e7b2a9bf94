"""How Kafka clients connect: in the clear or with TLS, without a sign-in or with SASL.

The broker's certificate and host name are always checked. Without KAFKA_CA_FILE the system's certificates are used.
"""

import os
import ssl
from collections.abc import Mapping
from typing import Final

from shared.settings.env import refuse

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PROTOCOL, CA_FILE = "KAFKA_SECURITY_PROTOCOL", "KAFKA_CA_FILE"
MECHANISM, USERNAME, PASSWORD = "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"
VARIABLES: Final = (PROTOCOL, MECHANISM, USERNAME, PASSWORD, CA_FILE)


class WrongKafkaVariable(Exception):
    """A variable of VARIABLES is malformed, missing, or contradicts the protocol. The text names it in one line."""


def check_security() -> None:
    """End the process with one line if its variables are wrong. Connects to nothing."""
    own_security()


def own_security() -> dict[str, str]:
    """Return the settings of a Kafka client of this process. Ends the process with one line if they are wrong."""
    try:
        return security(os.environ)
    except WrongKafkaVariable as problem:
        refuse(str(problem))


def security(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a Kafka client for these variables. An empty variable is not set.

    Raises WrongKafkaVariable also for a variable that the protocol would ignore: without this, a forgotten protocol
    would send everything in the clear.
    """
    given = {name: environment[name] for name in VARIABLES if environment.get(name)}
    protocol = given.get(PROTOCOL, "PLAINTEXT")
    if protocol not in PROTOCOLS:
        raise WrongKafkaVariable(f"{PROTOCOL} is malformed: one of {', '.join(PROTOCOLS)} is expected")
    return {"security.protocol": protocol, **_sign_in(protocol, given), **_certificates(protocol, given)}


def _sign_in(protocol: str, given: Mapping[str, str]) -> dict[str, str]:
    for name in (MECHANISM, USERNAME, PASSWORD):
        if protocol.startswith("SASL_") and name not in given:
            raise WrongKafkaVariable(f"{name} is not set, but {PROTOCOL} is {protocol}")
        if not protocol.startswith("SASL_") and name in given:
            raise WrongKafkaVariable(f"{name} is set, but {PROTOCOL} is {protocol}: SASL_SSL is expected")
    if not protocol.startswith("SASL_"):
        return {}
    if given[MECHANISM] not in MECHANISMS:
        raise WrongKafkaVariable(f"{MECHANISM} is malformed: one of {', '.join(MECHANISMS)} is expected")
    return {
        "sasl.mechanism": given[MECHANISM],
        "sasl.username": given[USERNAME],
        "sasl.password": given[PASSWORD],
    }


def _certificates(protocol: str, given: Mapping[str, str]) -> dict[str, str]:
    if CA_FILE not in given:
        return {}
    if not protocol.endswith("SSL"):
        raise WrongKafkaVariable(f"{CA_FILE} is set, but {PROTOCOL} is {protocol}: SSL or SASL_SSL is expected")
    try:
        ssl.create_default_context(cafile=given[CA_FILE])
    except OSError:  # ssl.SSLError is one too
        raise WrongKafkaVariable(f"{CA_FILE} is malformed: a readable file of PEM certificates is expected") from None
    return {"ssl.ca.location": given[CA_FILE]}
