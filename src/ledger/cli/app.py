"""The commands, in the order in which --help lists them."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli import (
    append,
    demo,
    doctor,
    erase,
    events,
    explain,
    history,
    importing,
    pack,
    proofs,
    rebuild,
    replay,
    report,
    schema,
    serve,
    status,
)
from ledger.cli.parameters import EPILOG, PASS_ON

app = typer.Typer(
    help="An append-only ledger of selling, and reports as of any past date.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    trace: Annotated[bool, typer.Option("--trace", help="Show where an error comes from (put it first).")] = False,  # noqa: ARG001 (main reads it)
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(version_of("sales-ledger"))
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("append")(append.append)
app.command("import")(importing.import_)
app.command("report", context_settings=PASS_ON, epilog=EPILOG)(report.report)
app.command("reports")(report.reports)
app.command("pack")(pack.pack)
app.command("explain", context_settings=PASS_ON, epilog=EPILOG)(explain.explain)
app.command("events")(events.events)
app.command("history")(history.history)
app.command("schema")(schema.schema)
app.command("replay", context_settings=PASS_ON, epilog=EPILOG)(replay.replay)
app.command("rebuild")(rebuild.rebuild)
app.command("checkpoint")(proofs.checkpoint)
app.command("prove")(proofs.prove)
app.command("verify")(proofs.verify)
app.command("bundle")(proofs.bundle)
app.command("erase")(erase.erase)
app.command("rewrap")(erase.rewrap)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
