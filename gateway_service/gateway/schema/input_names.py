"""The names of input fields in refusals: services write snake_case, the schema camelCase."""


def input_name(field: str | None) -> str | None:
    """Return the camelCase name of the input field that a service calls `field`: `departureIds` for `departure_ids`.

    Return None if there is no field.
    """
    if not field:
        return None
    parts = (part.split("_") for part in field.split("."))
    return ".".join(head + "".join(word.title() for word in rest) for head, *rest in parts)
