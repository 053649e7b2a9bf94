"""What the person at the terminal reads: numbered steps, each with its time, facts below them, links at the end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

LABEL_WIDTH = 15


class Narrator:
    """Prints the story. Facts may be printed from another thread, as live updates are."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.number = 0
        self.title = ""
        self.noticed = ""
        self.started = perf_counter()

    def opening(self, title: str, words: str) -> None:
        """Print the heading."""
        self.console.print(Panel(words, title=f"[bold]{title}", border_style="cyan", padding=(0, 2)))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Number and time what happens inside; facts told meanwhile stand below the title."""
        self.number += 1
        self.title = title
        self.noticed = ""
        self.console.print(f"\n[bold cyan]{self.number:>2}[/]  [bold]{escape(title)}[/]")
        started = perf_counter()
        with self.console.status("[dim]…", spinner="dots"):
            yield
        self.console.print(f"    [dim]{'took':<{LABEL_WIDTH}}{spoken(perf_counter() - started)}[/]")

    def fact(self, label: str, value: object) -> None:
        """Print one thing that was learnt."""
        self.console.print(f"    [dim]{escape(label):<{LABEL_WIDTH}}[/]{escape(str(value))}", soft_wrap=True)

    def live(self, words: str) -> None:
        """Print what was pushed, as it comes."""
        self.console.print(f"    [bold magenta]{'live ▸':<{LABEL_WIDTH}}[/]{escape(words)}", soft_wrap=True)

    def notice(self, words: str) -> None:
        """Print that something is away for a moment, and that we wait for it: once, however often it is said."""
        if words == self.noticed:
            return
        self.noticed = words
        self.console.print(f"    [yellow]{'waiting':<{LABEL_WIDTH}}[/]{escape(words)}", soft_wrap=True)

    def failed(self, words: str) -> None:
        """Print why the demo stops: one line."""
        where = f" in step {self.number} ({self.title})" if self.number else ""
        self.console.print(f"[bold red]demo stopped{escape(where)}:[/] {escape(words)}", soft_wrap=True)

    def farewell(self, links: Mapping[str, str]) -> None:
        """Print the time of the whole and where to look next."""
        took = spoken(perf_counter() - self.started)
        self.console.print()
        self.console.print(
            f"[bold green]Done[/] in {took}: booked, paid, confirmed, cancelled, refunded. Look around:\n"
        )
        width = max(map(len, links)) + 2
        for title, address in links.items():
            self.console.print(f"  [dim]{escape(f'{title:<{width}}')}[/]{escape(address)}", soft_wrap=True)


def spoken(seconds: float) -> str:
    """Return a duration as people read it: `41 ms`, `2.3 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
