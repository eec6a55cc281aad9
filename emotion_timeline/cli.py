"""The command line: analyze one recording here and now, serve the whole service, migrate the database.

Exit codes: 0 done, 1 stopped or failed half-way, 2 bad usage or input, with one plain sentence on stderr.
"""

import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path

import click

from emotion_timeline.clip import Clip
from emotion_timeline.config import load
from emotion_timeline.db.migrations import migrate as migrate_database
from emotion_timeline.db.session import Database
from emotion_timeline.errors import TimelineError
from emotion_timeline.labels import Labels
from emotion_timeline.service.privacy import keep_private
from emotion_timeline.turning import TURNS

BAD_INPUT = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("emotion-timeline"), prog_name="emotion-timeline")
def commands() -> None:
    """Timelines of the facial emotions in recordings."""


@commands.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The CSV. Default: the recording's name with .csv.")
@click.option("--sample-hz", type=float, help="Frames per second to analyse. Default: every frame.")
@click.option("--start-s", type=float, help="Leave out frames before this time, in seconds from the first frame.")
@click.option("--end-s", type=float, help="Leave out frames from this time on, in seconds from the first frame.")
@click.option("--labels", type=click.Choice([*map(str, Labels)]), help="Whose labels. Default: TIMELINE_LABELS.")
@click.option(
    "--rotate", type=click.Choice([*map(str, TURNS[1:])]), help="Turn the pictures by so many degrees clockwise first."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def analyze(
    video: Path,
    output: Path | None,
    sample_hz: float | None,
    start_s: float | None,
    end_s: float | None,
    labels: str | None,
    rotate: str | None,
    quiet: bool,
) -> None:
    """Analyse VIDEO in this process, without queue or server; write its timeline as CSV, and a JSON beside it."""
    clip, chosen = Clip(start_s, end_s), Labels(labels) if labels else None
    from emotion_timeline.analysis import analyze_file  # loads the pipeline

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl-C
    target = output or video.with_suffix(".csv")
    sidecar = analyze_file(
        load(), video, target, sample_hz, clip, chosen, rotate=int(rotate or 0), show_progress=not quiet
    )
    counts = ", ".join(f"{count} {status}" for status, count in sidecar["frames_by_status"].items() if count)
    faces = f"{sidecar['faces']} face{'' if sidecar['faces'] == 1 else 's'}"
    click.echo(f"{target}: {sidecar['frames_analyzed']} frames ({counts}), {faces}.")
    for warning in sidecar["warnings"]:
        click.echo(f"Warning: {warning}", err=True)


@commands.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
def serve(host: str, port: int) -> None:
    """Run web and one worker together, until stopped with Ctrl-C."""
    from emotion_timeline.service.server import run_service

    settings = load()
    _migrate()
    sys.exit(run_service(settings, host, port))


@commands.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    click.echo(f"The schema of {_migrate()} is up to date.")


def _migrate() -> str:
    keep_private()
    database = Database(load().resolved_database_url)
    try:
        migrate_database(database)
        return database.engine.url.render_as_string(hide_password=True)
    finally:
        database.close()


def main() -> None:
    """Entry point: turns our errors into one sentence and an exit code."""
    try:
        commands(standalone_mode=False)
    except click.ClickException as exc:
        click.echo(f"emotion-timeline: {exc.format_message()}", err=True)
        sys.exit(BAD_INPUT)
    except MemoryError:
        click.echo("emotion-timeline: there is not enough memory; close other programs and try again.", err=True)
        sys.exit(1)
    except (TimelineError, OSError) as exc:
        click.echo(f"emotion-timeline: {exc}", err=True)
        sys.exit(BAD_INPUT if isinstance(exc, TimelineError) else 1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("emotion-timeline: stopped; nothing was written.", err=True)
        sys.exit(1)
    finally:
        _silence_broken_pipe()


def _silence_broken_pipe() -> None:
    """`... | head` closes our output; Python's flush at exit would print a traceback for it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
