"""Imports of places: a file is read into a staging table, checked, compared with the catalogue, then merged.

`reading` opens files and bounds lines. `geonames` and `columns` turn lines into rows of the staging table. `staging`
loads and checks them. `planning` decides what becomes of each row. `merging` writes one country in one transaction.
"""

from destinations_service.catalogue.importing.contracts import Format, Imported, Options, Watcher
from destinations_service.catalogue.importing.refusals import BadFile, CountryFailed, ImportRunning, RowsRejected
from destinations_service.catalogue.importing.running import import_places

__all__ = [
    "BadFile",
    "CountryFailed",
    "Format",
    "ImportRunning",
    "Imported",
    "Options",
    "RowsRejected",
    "Watcher",
    "import_places",
]
