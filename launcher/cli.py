"""The commands of manage_all.py: parse, call, print."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from launcher.platform import Platform
from launcher.refusal import Refusal

app = typer.Typer(
    help="The travel platform: start it, look at it, prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")] = False,
    infra: Annotated[str, typer.Option(help="embedded, compose or external (URLs from the environment).")] = "embedded",
) -> None:
    """Start what is missing, adopt what runs, and say where everything is."""
    from launcher.commands.up import up as run

    raise typer.Exit(run(Platform.from_environment(), detach=detach, infra=infra))


@app.command()
def down() -> None:
    """Stop everything in order."""
    from launcher.commands.down import down as run

    stopped = run(Platform.from_environment())
    print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="JSON alone on stdout.")] = False) -> None:
    """Ask every process whether it is ready; exit code 3 where one is not."""
    from launcher.commands.status import print_status

    raise typer.Exit(print_status(Platform.from_environment(), as_json=as_json))


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="A process (bookings.rpc) or a service (bookings).")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they grow.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many to begin with.")] = 100,
) -> None:
    """Show the logs, merged by time."""
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
            raise Refusal("reset asks first, and nobody can answer here.", "./manage_all.py reset --yes")
        typer.confirm(f"Delete everything in {platform.var}?", abort=True)
    run(platform)
    print(f"{platform.var} and all state in it are deleted.")


@app.command()
def doctor() -> None:
    """Look for what is wrong, and say what to type."""
    from launcher.commands.doctor import doctor as run

    raise typer.Exit(run(Platform.from_environment()))


@app.command(context_settings=PASS_ON)
def manage(context: typer.Context, service: str) -> None:
    """Run a management command of a service: manage bookings showmigrations."""
    from launcher.commands.manage import manage as run

    run(Platform.from_environment(), service, context.args)


@app.command()
def migrate() -> None:
    """Migrate every service's database."""
    from launcher.commands.manage import migrate as run

    raise typer.Exit(run(Platform.from_environment()))


@app.command()
def seed(
    travellers: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Make this many verified travellers.")
    ] = None,
) -> None:
    """Fill the catalogue and the staff again, which changes nothing where they are whole."""
    from launcher.commands.manage import seed as run

    raise typer.Exit(run(Platform.from_environment(), travellers))


@app.command()
def proto() -> None:
    """Generate contracts/ from proto/."""
    from launcher.commands.develop import proto as run

    raise typer.Exit(run())


@app.command()
def lint() -> None:
    """Run every linter, type checker and architecture check."""
    from launcher.commands.lint import lint as run

    raise typer.Exit(run(Platform.from_environment()))


@app.command("test")
def prove(
    suite: Annotated[
        str | None,
        typer.Argument(
            help="A service, concurrency, shared, launcher, demo, payment_sandbox, tests, platform; all without."
        ),
    ] = None,
    proofs: Annotated[
        bool,
        typer.Option(
            "--proofs", help="The proofs of concurrency and crashes alone, at their whole size (ten minutes)."
        ),
    ] = False,
) -> None:
    """Prove it: on infrastructure of its own, ending with `N passed, N failed`."""
    from launcher.commands.prove import test as run

    if suite and proofs:
        raise Refusal("--proofs is a suite of its own.", "./manage_all.py test --proofs")
    raise typer.Exit(run(Platform.from_environment(), suite, proofs=proofs))


@app.command()
def demo(
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="And what can go wrong: declines, 3-D Secure, a waiting list, a cancelled departure."
        ),
    ] = False,
) -> None:
    """Book a trip in front of your eyes, through public interfaces alone."""
    from launcher.commands.scripts import demo as run

    raise typer.Exit(run(Platform.from_environment(), full=full))


@app.command(context_settings=PASS_ON)
def bench(context: typer.Context) -> None:
    """Measure the platform that runs: bench footprint."""
    from launcher.commands.scripts import bench as run

    raise typer.Exit(run(Platform.from_environment(), context.args))


def main() -> None:
    """Run the command line; a refusal is one message on stderr with what to type, exit code 1."""
    raise SystemExit(guarded(lambda: app(standalone_mode=True)))


def guarded(command: Callable[[], object]) -> int:
    """Run `command` and turn a Refusal into its message and exit code 1."""
    try:
        command()
    except Refusal as refusal:
        console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        console.print(refusal.message, style="red")
        if refusal.hint:
            console.print(f"Type: {refusal.hint}")
        return 1
    return 0


if __name__ == "__main__":
    main()
