"""What an import prints: a line about the file, a table of what was done, and the first problems and differences."""

from collections.abc import Iterable
from typing import Final

from destinations_service.catalogue.importing.contracts import Counts, Difference, Imported, Options
from shared.commands import OperatorCommand

SHOWN_COUNTRIES: Final = 10
_LONGEST: Final = 60


def show(command: OperatorCommand, options: Options, done: Imported) -> None:
    """Print what an import did, would do, or why it was refused."""
    say = command.stdout.write
    say(f"{options.file.name}: {done.lines:,} lines, {done.left_out:,} left out, {done.rejected:,} rejected")
    if done.continued:
        say(
            f"Continued the import that began at {done.continued:%Y-%m-%d %H:%M} UTC:"
            f" {done.countries_before:,} countries were already merged."
        )
    command.table(
        "Rejected lines (the first ones)",
        ("line", "id", "column", "value", "reason"),
        ((f"{row.line}", row.source_id, row.column, _printable(row.value), row.reason) for row in done.problems),
    )
    _show_differences(command, options, done.differences)
    if done.countries:
        would = "Would be done by country" if options.dry_run else "Done by country"
        columns = ("country", "created", "updated", "of these adopted", "unchanged", "kept values", "deleted by staff")
        command.table(would, columns, _by_country(done.countries))
    if options.dry_run:
        say("Dry run: nothing was written.")
    if options.report:
        say(f"Report: {options.report}")
    elif done.rejected > len(done.problems):
        say("Add --report FILE for every rejected line.")


def _show_differences(command: OperatorCommand, options: Options, differences: Iterable[Difference]) -> None:
    changed = [row for row in differences if row.what != "keep"]
    kept = [row for row in differences if row.what == "keep"]
    columns = ("line", "place", "field", "before", "after")
    command.table("Differences (the first ones)", ("what", *columns), ((row.what, *_shown(row)) for row in changed))
    command.table(
        "Kept, because staff changed them (the first ones)",
        ("line", "place", "field", "kept", "in the file"),
        map(_shown, kept),
    )


def _printable(value: str) -> str:
    return value[:_LONGEST] if value.isprintable() else ascii(value[:_LONGEST])[1:-1]


def _shown(row: Difference) -> tuple[str, ...]:
    return f"{row.line}", row.slug, row.field, _printable(row.before), _printable(row.after)


def _by_country(countries: dict[str, Counts]) -> Iterable[tuple[object, ...]]:
    """Yield the countries with the most changes, the others together, and the total."""
    ordered = sorted(countries.items(), key=lambda item: (-item[1].created - item[1].updated, item[0]))
    rows = [(country, counts) for country, counts in ordered[:SHOWN_COUNTRIES]]
    if others := ordered[SHOWN_COUNTRIES:]:
        rows.append((f"{len(others)} others", sum((counts for _, counts in others), Counts())))
    rows.append(("all", sum(countries.values(), Counts())))
    for name, counts in rows:
        yield name, counts.created, counts.updated, counts.adopted, counts.unchanged, counts.kept, counts.deleted
