"""The `steelyard` command. What a command needs is imported when it runs, so that help is quick."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from steelyard_cli.failure import CommandError

INSTANT_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

app = typer.Typer(
    name="steelyard",
    help="Cost-aware LLM routing: price, health and quality weighed on every request.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


@app.command()
def up(
    *,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where state is kept; default STEELYARD_DATA_DIR.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all log lines.")] = False,
) -> None:
    """Start all services on this machine, and stop them together."""
    from steelyard_cli.supervisor.up import run_up  # noqa: PLC0415

    raise typer.Exit(run_up(data_dir=data_dir, verbose=verbose))


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show which services answer, and how fresh the prices are."""
    from steelyard_cli.commands.status import show_status  # noqa: PLC0415

    raise typer.Exit(show_status(as_json=as_json))


@app.command()
def route(
    prompt: Annotated[str, typer.Argument(help="What would be sent to a model.")],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every candidate, and why others fell.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="auto, auto:cheap, tier:heavy, a model or an offer.")
    ] = "",
    policy: Annotated[str, typer.Option(help="balanced, cheap, fast or best.")] = "",
    as_json: AsJson = False,
) -> None:
    """Decide where a prompt would go, without sending it."""
    from steelyard_cli.commands.route import show_route  # noqa: PLC0415

    show_route(prompt, model=model, policy=policy, explain=explain, as_json=as_json)


@app.command()
def estimate(
    model: Annotated[str, typer.Argument(help="Model name or offer id.")],
    *,
    input_tokens: Annotated[
        int | None, typer.Option("--input", min=0, max=50_000_000, help="Prompt tokens.")
    ] = None,
    output_tokens: Annotated[
        int, typer.Option("--output", min=0, max=50_000_000, help="Completion tokens.")
    ] = 500,
    prompt: Annotated[
        str | None, typer.Option(help="Text whose tokens are estimated instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a request costs on one model."""
    if input_tokens is None and prompt is None:
        raise typer.BadParameter("give --input or --prompt")
    from steelyard_cli.commands.estimate import show_estimate  # noqa: PLC0415

    show_estimate(
        model, input_tokens=input_tokens, output_tokens=output_tokens, prompt=prompt,
        as_json=as_json,
    )  # fmt: skip


@app.command()
def prices(
    model: Annotated[str | None, typer.Argument(help="Model name or offer id.")] = None,
    *,
    provider: Annotated[str, typer.Option(help="Only this seller.")] = "",
    matching: Annotated[
        str, typer.Option("--filter", help="Words that must occur in the offer id.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List prices, or show everything known about the price of one model."""
    from steelyard_cli.commands.prices import show_price, show_prices  # noqa: PLC0415

    if model is not None:
        if provider or matching:
            raise typer.BadParameter("give a model, or --provider and --filter, not both")
        show_price(model, as_json=as_json)
    else:
        show_prices(provider=provider, matching=matching, limit=limit, as_json=as_json)


@app.command()
def compare(
    model: Annotated[str | None, typer.Argument(help="Model name or offer id.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare what sellers charge, for one model or over all."""
    from steelyard_cli.commands.compare import show_comparison  # noqa: PLC0415

    show_comparison(model or "", as_json=as_json)


@app.command()
def changes(
    *,
    since: Annotated[
        datetime | None,
        typer.Option(formats=INSTANT_FORMATS, help="Only from this day or instant on; UTC."),
    ] = None,
    offer: Annotated[str, typer.Option(help="Only this offer.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List price changes, newest first."""
    from steelyard_cli.commands.changes import show_changes  # noqa: PLC0415

    show_changes(since=since, offer=offer, limit=limit, as_json=as_json)


@app.command()
def refresh(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Read sources even when their prices are fresh.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read all price sources now."""
    from steelyard_cli.commands.refresh import show_refresh  # noqa: PLC0415

    show_refresh(force=force, as_json=as_json)


@app.command()
def models(  # noqa: PLR0913 - an argument for each option
    words: Annotated[
        list[str] | None, typer.Argument(help="Words of a name, an alias or the maker.")
    ] = None,
    *,
    provider: Annotated[str, typer.Option(help="Only models that this seller has.")] = "",
    capability: Annotated[
        list[str] | None, typer.Option(help="E.g. tools, vision; repeat it for several.")
    ] = None,
    min_quality: Annotated[
        float, typer.Option(min=0, max=100, help="Smallest quality, 0 to 100.")
    ] = 0.0,
    min_context: Annotated[
        int, typer.Option(min=0, max=10**12, help="Smallest context, in tokens.")
    ] = 0,
    max_price: Annotated[
        str | None,
        typer.Option(metavar="USD", help="Largest price of 1M tokens, 3 in 4 of them input."),
    ] = None,
    by_quality: Annotated[
        bool, typer.Option("--by-quality", help="The best models first, not the best matches.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find models by words, sellers, capabilities, quality and price."""
    from steelyard_cli.commands.models import Wanted, show_models  # noqa: PLC0415

    wanted = Wanted(
        words=" ".join(words or []), provider=provider, capabilities=capability or [],
        min_quality=min_quality, min_context=min_context, max_price=max_price,
    )  # fmt: skip
    show_models(wanted, by_quality=by_quality, limit=limit, as_json=as_json)


@app.command()
def quality(
    model: Annotated[str, typer.Argument(help="Model name or offer id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show how good a model is, and every score that says so."""
    from steelyard_cli.commands.quality import show_quality  # noqa: PLC0415

    show_quality(model, as_json=as_json)


@app.command()
def health(  # noqa: PLR0913 - an argument for each option
    provider: Annotated[
        str | None, typer.Argument(help="Only this seller, and its offers.")
    ] = None,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Print every change as it happens, until interrupted.")
    ] = False,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="List what status pages tell of faults.")
    ] = False,
    alerts: Annotated[bool, typer.Option("--alerts", help="List spells of bad health.")] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, help="How many incidents or alerts to list.")
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """Show how well sellers answer, or how the offers of one do."""
    if watch + incidents + alerts > 1:
        raise typer.BadParameter("give one of --watch, --incidents and --alerts")
    from steelyard_cli.commands.health import show_health, show_provider  # noqa: PLC0415
    from steelyard_cli.commands.health_events import show_alerts, show_incidents  # noqa: PLC0415
    from steelyard_cli.commands.health_watch import watch_health  # noqa: PLC0415

    if watch:
        watch_health(provider or "", as_json=as_json)
    elif incidents:
        show_incidents(provider or "", limit=limit, as_json=as_json)
    elif alerts:
        show_alerts(provider or "", limit=limit, as_json=as_json)
    elif provider is not None:
        show_provider(provider, as_json=as_json)
    else:
        show_health(as_json=as_json)


@app.command()
def sync(
    what: Annotated[
        Literal["models", "quality"] | None, typer.Argument(help="Both by default.")
    ] = None,
    *,
    source: Annotated[
        str | None,
        typer.Option(help="Evidence to read for quality: lmsys, benchmarks, heuristic, auto."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read sources even when they are fresh.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read the sources of models and of their quality now."""
    if what == "models" and source is not None:
        raise typer.BadParameter("--source is for quality, not for models")
    from steelyard_cli.commands.sync import show_sync  # noqa: PLC0415

    show_sync(what, source=source, force=force, as_json=as_json)


def main() -> None:
    """Run the command line; a failure is one sentence on stderr and an exit code."""
    try:
        app()
    except CommandError as error:
        typer.echo(f"steelyard: {error}", err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
