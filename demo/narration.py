"""The output of the demo: numbered steps with their facts and times, and links at the end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

LABEL_WIDTH = 15


class Narrator:
    """Prints the demo. Facts may come from another thread, as live updates do."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.number = 0
        self.title = ""
        self.noticed = ""
        self.started = perf_counter()

    def heading(self, title: str, text: str) -> None:
        """Print the heading."""
        self.console.print(Panel(text, title=f"[bold]{title}", border_style="cyan", padding=(0, 2)))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Number and time the body. Its facts are printed below the title."""
        self.number += 1
        self.title = title
        self.noticed = ""
        self.console.print(f"\n[bold cyan]{self.number:>2}[/]  [bold]{escape(title)}[/]")
        started = perf_counter()
        with self.console.status("[dim]…", spinner="dots"):
            yield
        self.console.print(f"    [dim]{'took':<{LABEL_WIDTH}}{duration(perf_counter() - started)}[/]")

    def fact(self, label: str, value: object) -> None:
        """Print one fact."""
        self.console.print(f"    [dim]{escape(label):<{LABEL_WIDTH}}[/]{escape(str(value))}", soft_wrap=True)

    def live(self, text: str) -> None:
        """Print a live update."""
        self.console.print(f"    [bold magenta]{'live ▸':<{LABEL_WIDTH}}[/]{escape(text)}", soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print what the demo waits for. Print the same text only once in a row."""
        if text == self.noticed:
            return
        self.noticed = text
        self.console.print(f"    [yellow]{'waiting':<{LABEL_WIDTH}}[/]{escape(text)}", soft_wrap=True)

    def failed(self, text: str) -> None:
        """Print, in one line, why the demo stops."""
        where = f" in step {self.number} ({self.title})" if self.number else ""
        self.console.print(f"[bold red]demo stopped{escape(where)}:[/] {escape(text)}", soft_wrap=True)

    def finish(self, links: Mapping[str, str]) -> None:
        """Print how long the demo took, and where to look next."""
        took = duration(perf_counter() - self.started)
        self.console.print()
        self.console.print(
            f"[bold green]Done[/] in {took}: booked, paid, confirmed, cancelled, refunded. Look around:\n"
        )
        width = max(map(len, links)) + 2
        for title, address in links.items():
            self.console.print(f"  [dim]{escape(f'{title:<{width}}')}[/]{escape(address)}", soft_wrap=True)


def duration(seconds: float) -> str:
    """Return a duration as text: `41 ms`, `2.3 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
