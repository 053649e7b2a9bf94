"""The documents name only things that exist: files, functions, settings, commands and rooms."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROSE_WIDTH = 100
CALL = re.compile(r"^ +(\w+)-+>>(\w+): ([\w.]+)", re.MULTILINE)
SUFFIXES = (".py", ".md", ".yaml", ".toml", ".proto", ".graphql", ".svg", ".in", ".ini")
NOT_OURS = {"post_save", "pg_trgm", "seats_held"}  # Django's, PostgreSQL's, and an example of a good name

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def tracked() -> list[str]:
    """Return the paths of the committed files, and of new files that Git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in listed if (ROOT / path).is_file()]


@cache
def sources() -> str:
    """Return the text of everything that is not a document."""
    kinds = (".py", ".proto", ".graphql", ".yaml", ".html", ".js", ".toml", ".sql")
    return "\n".join((ROOT / path).read_text(encoding="utf-8") for path in tracked() if path.endswith(kinds))


@cache
def words_of_sources() -> frozenset[str]:
    """Return every word of the sources."""
    return frozenset(re.findall(r"\w+", sources()))


@cache
def help_text() -> str:
    """Return the list of commands that manage_all.py prints."""
    command = ["./manage_all.py", "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def code_words(page: Path) -> list[str]:
    """Return what stands in backticks on a page, without line breaks."""
    return [" ".join(word.split()) for word in re.findall(r"`([^`]+)`", prose(page))]


def is_a_file(path: str) -> bool:
    """Return whether a committed file, or a folder of one, has this path or ends with it."""
    path = path.rstrip("/")
    return any(f"/{known}".endswith(f"/{path}") or f"/{path}/" in f"/{known}" for known in tracked())


@each_page
def test_links_lead_to_files(page):
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", prose(page))]

    assert [t for t in targets if t and "://" not in t and not (page.parent / t).exists()] == []


@each_page
def test_paths_exist(page):
    paths = [
        word
        for word in code_words(page)
        if re.fullmatch(r"[\w./-]+", word)
        and (word.endswith(SUFFIXES) or ("/" in word and word.endswith("/")))
        and not word.startswith(("/", "./", "var/"))
    ]

    assert [path for path in paths if not is_a_file(path)] == []


@each_page
def test_dotted_names_exist(page):
    """`inventory.hold` needs a file or package `inventory` that defines or imports `hold`."""
    modules = {Path(path).stem if not path.endswith("__init__.py") else Path(path).parent.name for path in tracked()}
    missing = []
    for word in code_words(page):
        name = word.removesuffix("()")
        if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)*\.[A-Za-z_]+", name) or name.endswith(SUFFIXES):
            continue
        if name.startswith("travel.") or f'"{name}"' in sources():  # a topic, an event, a process or a failpoint
            continue
        module, _, attribute = name.rpartition(".")
        if module.rpartition(".")[2] not in modules or is_a_file(name.replace(".", "/") + ".py"):
            continue
        path = module.replace(".", "/")
        files = [ROOT / known for known in tracked() if known.endswith((f"{path}.py", f"{path}/__init__.py"))]
        if not any(re.search(rf"\b{attribute}\b", file.read_text(encoding="utf-8")) for file in files):
            missing.append(word)

    assert missing == []


@each_page
def test_names_of_code_and_settings_exist(page):
    """A function, class, setting or code in backticks occurs somewhere outside of the documents."""
    name = re.compile(r"[a-z]+(_[a-z]+)+|([A-Z][a-z]+){2,}|[A-Z]+(_[A-Z]+)+")
    words = {word.partition("=")[0].removesuffix("()") for word in code_words(page)}

    unknown = {word for word in words if name.fullmatch(word) and word not in words_of_sources()}

    assert unknown - NOT_OURS == set()


@each_page
def test_commands_of_manage_all_exist(page):
    commands = set(re.findall(r"\./manage_all\.py ([a-z]+)", page.read_text(encoding="utf-8")))

    assert {command for command in commands if not re.search(rf"\b{command}\b", help_text())} == set()


@each_page
def test_prose_is_not_wider_than_a_hundred_columns(page):
    lines = [line for line in prose(page).splitlines() if not line.lstrip().startswith(("|", "#", "<!--", "!["))]

    assert [line for line in lines if len(line) > PROSE_WIDTH and " " in line.strip()] == []


def test_the_index_of_decisions_lists_each_record():
    """Seen failing (0022 was missing) at a commit that forgot the index."""
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))

    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def test_a_sequence_enters_each_room_once_and_names_real_functions():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    diagrams = re.findall(r"^sequenceDiagram\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)

    for diagram in diagrams:
        calls = CALL.findall(diagram)
        rooms = [room for _, room, _ in calls]
        functions = {function for _, _, function in calls if "_" in function}
        assert {room for room in rooms if rooms.count(room) > 1} == set(), diagram
        assert functions <= words_of_sources()
    assert len(diagrams) == 7
