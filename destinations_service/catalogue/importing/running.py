"""One import from its file to its answer."""

from typing import Final
from zoneinfo import available_timezones

from django.db import transaction

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.importing import comparing, merging, planning, reading, slugs, staging
from destinations_service.catalogue.importing.columns import CsvReader
from destinations_service.catalogue.importing.contracts import Counts, Format, Imported, Options, Silent, Watcher
from destinations_service.catalogue.importing.geonames import GeoNamesReader
from destinations_service.catalogue.importing.refusals import BadFile, ImportRunning, RowsRejected
from destinations_service.catalogue.importing.reporting import Report
from destinations_service.catalogue.models import ImportRun
from destinations_service.catalogue.services import authored
from shared.db import clock_now, try_advisory_lock
from shared.money import CURRENCIES

SHOWN_PROBLEMS: Final = 20
SHOWN_DIFFERENCES: Final = 40
_READERS: Final = {Format.GEONAMES: GeoNamesReader, Format.CSV: CsvReader}
_COUNTS: Final = """
SELECT country, count(*) FILTER (WHERE action = 'new'), count(*) FILTER (WHERE action IN ('changed', 'adopted')),
       count(*) FILTER (WHERE action = 'adopted'), count(*) FILTER (WHERE action = 'unchanged'),
       count(*) FILTER (WHERE action = 'deleted')
FROM (SELECT country, action FROM import_plan
      UNION ALL
      SELECT country, 'unchanged' FROM import_place WHERE line NOT IN (SELECT line FROM import_plan)) AS row
GROUP BY country ORDER BY country
"""


def import_places(options: Options, *, watcher: Watcher | None = None) -> Imported:
    """Read, check, compare and merge a file. Each country is merged wholly or not at all.

    An interrupted import of the same file is continued. Raises BadFile; RowsRejected, after the report was written, and
    with the catalogue as before; ImportRunning; CountryFailed, with the countries before it merged.
    """
    with try_advisory_lock("import places") as is_free:
        if not is_free:
            raise ImportRunning
        merging.patient()
        try:
            return _run(options, watcher or Silent())
        finally:
            staging.drop()


def _run(options: Options, watcher: Watcher) -> Imported:
    done = Imported()
    digest = _stage(options, watcher, done)
    with watcher.progress("Comparing", 3) as advance:
        planning.plan(source=options.source)
        advance(1)
        slugs.assign()
        comparing.prepare()
        advance(1)
        done.rejected = staging.rejected()
        done.problems = staging.problems(limit=SHOWN_PROBLEMS)
        plan = {country: Counts(new, 0, changed, adopted, unchanged, deleted)
                for country, new, changed, adopted, unchanged, deleted in staging.rows(_COUNTS)}  # fmt: skip
        advance(1)
    with Report.opened(options.report) as report:
        report.problems()
        if done.rejected and not options.skip_rejected and not options.dry_run:
            raise RowsRejected(count=f"{done.rejected:,}", lines=f"{done.lines:,}", done=done)
        if options.dry_run:
            _compare(options, plan, done, report)
        else:
            _merge(options, digest, plan, done, report, watcher)
    return done


def _stage(options: Options, watcher: Watcher, done: Imported) -> str:
    """Load the file into the staging table, and return the digest of its content."""
    reader = _READERS[options.format](options)
    with reading.opened(options.file) as source:
        with watcher.progress("Reading, kB", source.size // 1024) as advance:
            staging.load(
                reader.rows(source.rows(advance)),
                zones=available_timezones(),
                currencies=set(CURRENCIES),
                codes={country.code for country in seed_data.countries()},
            )
        done.lines, done.left_out = source.lines, reader.left_out
        if not done.lines:
            raise BadFile(file=options.file.name, why="it is empty.")
        return source.digest


def _compare(options: Options, plan: dict[str, Counts], done: Imported, report: Report) -> None:
    """Note what a merge would change, without locks and without writing."""
    with transaction.atomic():
        comparing.compare()
        for country, updated, kept in staging.rows(
            """SELECT country, count(DISTINCT line) FILTER (WHERE is_taken), count(*) FILTER (WHERE NOT is_taken)
               FROM (SELECT country, line, is_taken FROM import_field
                     UNION ALL SELECT country, line, true FROM import_name) AS part GROUP BY country"""
        ):
            plan[country].updated, plan[country].kept = updated, kept
    done.countries = plan
    if options.report:
        merging.each_difference(report.difference)
    done.differences = merging.differences(everything=True, limit=SHOWN_DIFFERENCES)


def _merge(
    options: Options, digest: str, plan: dict[str, Counts], done: Imported, report: Report, watcher: Watcher
) -> None:
    """Merge each country that an interrupted run of this file has not merged yet."""
    run = _interrupted(options, digest)
    if run is not None:
        done.continued, done.countries_before = run.started_at, len(run.countries)
        done.countries = {country: Counts.stored(counts) for country, counts in run.countries.items()}
    else:
        run = ImportRun.objects.create(source=options.source, file=options.file.name[:300], digest=digest)
    waiting = {country: counts for country, counts in plan.items() if country not in run.countries}
    total = sum(counts.created + counts.changed for counts in waiting.values())
    with (
        authored(source="command", command=f"import_places {options.file.name}"),
        watcher.progress("Merging", total) as advance,
    ):
        for country, counts in waiting.items():
            if counts.created or counts.changed:
                for difference in merging.merge(country=country, run=run, counts=counts):
                    report.difference(difference)
                    if len(done.differences) < SHOWN_DIFFERENCES:
                        done.differences.append(difference)
                advance(counts.created + counts.changed)
            done.countries[country] = counts
    run.finished_at = clock_now()
    run.save(update_fields=["finished_at"])
    done.applied = True


def _interrupted(options: Options, digest: str) -> ImportRun | None:
    """Return the last run of this source if it was of this file and did not end."""
    last = ImportRun.objects.filter(source=options.source).first()
    return last if last and last.finished_at is None and last.digest == digest else None
