"""The commands of manage_all.py: parse, call, print."""

import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from launcher.platform import Platform
from launcher.refusal import Refusal

app = typer.Typer(
    help="The travel platform: start it, look at it, test it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PASS_ON: Final[dict[str, Any]] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is ready.")] = False,
    infra: Annotated[
        str,
        typer.Option(help="Where databases, broker and mail run: embedded, compose, or external (URLs in variables)."),
    ] = "embedded",
) -> None:
    """Start every process that does not run, and print the addresses."""
    from launcher.commands.up import up as run

    raise typer.Exit(run(Platform.from_environment(), detach=detach, infra=infra))


@app.command()
def down() -> None:
    """Stop every process, in order."""
    from launcher.commands.down import down as run

    platform = Platform.from_environment()
    stopped = run(platform)
    if stopped:
        print(f"Stopped {len(stopped)} processes: {', '.join(stopped)}.\nStart them again: ./manage_all.py up")
    else:
        print(f"No process of the platform in {platform.var} was running.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")] = False) -> None:
    """Show whether each process is ready. The exit code is 3 if one is not."""
    from launcher.commands.status import print_status

    raise typer.Exit(print_status(Platform.from_environment(), as_json=as_json))


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="A process (bookings.rpc) or a service (bookings).")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on and print new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines to begin with.")] = 100,
) -> None:
    """Print the logs of the processes, merged by time."""
    from launcher.commands.logs import show

    show(Platform.from_environment(), name, follow=follow, lines=lines)


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop everything and delete all state: databases, topics, mails, photos, secrets."""
    from launcher.commands.down import check_reset
    from launcher.commands.down import reset as run

    platform = Platform.from_environment()
    if not platform.var.exists():
        print(f"{platform.var} does not exist: there is nothing to delete.")
        return
    check_reset(platform)
    if not yes:
        if not sys.stdin.isatty():
            raise Refusal(
                "reset asks for confirmation, and there is no terminal to ask.", "./manage_all.py reset --yes"
            )
        typer.confirm(f"Delete everything in {platform.var}?", abort=True)
    run(platform)
    print(f"{platform.var} and all state in it are deleted.\nStart from nothing: ./manage_all.py up")


@app.command()
def doctor() -> None:
    """Check the machine and the platform, and print what to type for each problem."""
    from launcher.commands.doctor import doctor as run

    raise typer.Exit(run(Platform.from_environment()))


@app.command(context_settings=PASS_ON)
def manage(context: typer.Context, service: str) -> None:
    """Run a management command of a service, for example: manage bookings showmigrations."""
    from launcher.commands.manage import manage as run

    run(Platform.from_environment(), service, context.args)


@app.command()
def migrate() -> None:
    """Migrate the database of every service."""
    from launcher.commands.manage import migrate as run

    raise typer.Exit(run(Platform.from_environment()))


@app.command()
def seed(
    travellers: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Also make this many travellers with verified addresses.")
    ] = None,
    world: Annotated[
        bool,
        typer.Option("--world", help="Also import the 147,000 places of the world with 1,000 inhabitants or more."),
    ] = False,
) -> None:
    """Add what is missing in the catalogue and of the staff. Existing rows stay as they are."""
    from launcher.commands.manage import seed as run

    raise typer.Exit(run(Platform.from_environment(), travellers, world=world))


@app.command()
def proto() -> None:
    """Generate contracts/ from proto/."""
    from launcher.commands.proto import proto as run

    raise typer.Exit(run())


@app.command()
def docs() -> None:
    """Generate the catalogue of events: docs/events.md and docs/asyncapi.yaml."""
    from launcher.commands.docs import docs as run

    raise typer.Exit(run())


@app.command()
def release(
    accept_breaks: Annotated[
        bool, typer.Option("--accept-breaks", help="Also if the gate says that a client or a reader breaks.")
    ] = False,
) -> None:
    """Move the baselines of protos, events and GraphQL, with which lint compares, to what is there now."""
    from launcher.commands.release import release as run

    raise typer.Exit(run(accept_breaks=accept_breaks))


@app.command()
def lint() -> None:
    """Run every linter, type checker and architecture check."""
    from launcher.commands.lint import lint as run

    raise typer.Exit(run(Platform.from_environment()))


@app.command("test")
def run_tests(
    suite: Annotated[
        str | None,
        typer.Argument(
            help="A service, concurrency, enumeration, events, outbox, browser, shared, launcher, demo,"
            " payment_sandbox, tests, platform, outages or fuzzing. Default: all but browser and fuzzing."
        ),
    ] = None,
    proofs: Annotated[
        bool,
        typer.Option("--proofs", help="Only the proofs of docs/proofs.md, at their full size (more than an hour)."),
    ] = False,
) -> None:
    """Run the tests on infrastructure of their own. The last line is `N passed, N failed`."""
    from launcher.commands.test import test as run

    if suite and proofs:
        raise Refusal("--proofs is a suite of its own and takes no name.", "./manage_all.py test --proofs")
    raise typer.Exit(run(Platform.from_environment(), suite, proofs=proofs))


@app.command()
def demo(
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also show what can go wrong: declined cards, 3-D Secure, a waiting list, a cancelled departure.",
        ),
    ] = False,
) -> None:
    """Book a trip on the platform that is up, through public interfaces only, and show each step."""
    from launcher.commands.demo import demo as run

    raise typer.Exit(run(Platform.from_environment(), full=full))


@app.command(context_settings=PASS_ON)
def bench(context: typer.Context) -> None:
    """Run a benchmark against the platform that is up, for example: bench platform_figures."""
    from launcher.commands.bench import bench as run

    raise typer.Exit(run(Platform.from_environment(), context.args))


def main() -> None:
    """Run the command line. A refusal is printed on stderr, with what to type, and gives exit code 1."""
    raise SystemExit(guarded(lambda: app(prog_name="./manage_all.py")))


def guarded(command: Callable[[], object]) -> int:
    """Run `command`. Print a Refusal, and return 1 for it."""
    try:
        command()
    except Refusal as refusal:
        console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        console.print(refusal.message, style="red")
        if refusal.hint:
            console.print(f"Type: {refusal.hint}")
        return 1
    return 0
