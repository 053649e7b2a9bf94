"""Why an import was refused before it wrote anything, or stopped between two countries."""

from shared.errors import Conflict, Invalid
from shared.text import Text


class BadFile(Invalid):
    """The file cannot be read as what it is said to be."""

    code = "IMPORT_FILE"
    text = Text(en="{file} cannot be imported: {why}", fr="{file} ne peut être importé : {why}")


class RowsRejected(Conflict):
    """Some rows are wrong, and the import was not told to skip such rows. The catalogue is as before."""

    code = "IMPORT_ROWS_REJECTED"
    text = Text(
        en="{count} of {lines} lines were rejected, so nothing was imported. Mend them, or add --skip-rejected.",
        fr="{count} lignes sur {lines} ont été rejetées : rien n’a été importé. Corrigez-les, ou --skip-rejected.",
    )


class ImportRunning(Conflict):
    """Another import runs."""

    code = "IMPORT_RUNNING"
    text = Text(
        en="Another import of places is running. Wait until it ends, then start this one again.",
        fr="Un autre import de lieux est en cours. Attendez sa fin, puis relancez celui-ci.",
    )


class CountryFailed(Conflict):
    """A country could not be merged, because other writes got in its way again and again."""

    code = "IMPORT_COUNTRY_FAILED"
    text = Text(
        en="{country} was not merged: {why}. The countries before it are merged. Run the import again to go on.",
        fr="{country} n’a pas été importé : {why}. Les pays précédents le sont. Relancez l’import pour continuer.",
    )
