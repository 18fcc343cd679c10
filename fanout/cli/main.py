"""Arguments in, exit status out.

Exit status: 0 succeeded, 3 partial, 1 failed, 130 stopped, 2 wrong use.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TypeAlias

from fanout import redaction
from fanout.cli.batch_flags import add_batch_commands
from fanout.cli.doctor_flags import add_doctor_flags
from fanout.cli.later import later
from fanout.cli.policy_flags import add_policy_flags
from fanout.cli.printable import printing
from fanout.errors import DefinitionError, FanoutError, InputError, SettingsError
from fanout.export.batch.formats import BATCH_FORMATS
from fanout.export.bundle_formats import FORMATS
from fanout.types import RunStatus

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
WRONG_USE = 2
FAILED = 1
_DASHED_ID = re.compile(r"-[A-Za-z0-9_-]{15}")
"""A run's id that begins as an option does. No option is as long."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; errors are one line on standard error."""
    redaction.install()
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, TextIOWrapper):
            # No text of a model may end the command, whatever the terminal's encoding is.
            out.reconfigure(errors="backslashreplace")
    with printing():
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    # Behind a space argparse takes it for what it is; `_run_id` takes the space off again.
    options = _parser().parse_args([" " * bool(_DASHED_ID.fullmatch(a)) + a for a in given])
    try:
        return int(options.command(options))
    except (InputError, DefinitionError, SettingsError) as error:
        print(f"fanout: {error}", file=sys.stderr)
        return WRONG_USE
    except FanoutError as error:
        print(f"fanout: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader went away, as `head` does; Python must not complain about it at exit.
        sys.stderr.close()
        return FAILED
    except OSError as error:
        print(f"fanout: the output can't be written: {error.strerror}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fanout",
        description="One topic, several LLM branches at once, one combined answer.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a workflow on a topic")
    run.add_argument("workflow", help="a shipped workflow's name, or a .toml file")
    run.add_argument("--topic", required=True, help='the topic; "-" reads it from standard input')
    run.add_argument("--base-url", default="", help="an OpenAI-compatible endpoint, ending in /v1")
    run.add_argument("--model", default="", help="the model to ask there")
    run.add_argument("--max-tokens", type=_positive, help="longest answer of every call")
    _add_edits(run)
    add_policy_flags(run)
    _add_shape(run)
    run.set_defaults(command=later("run", "run_command"))

    add_batch_commands(commands)

    listing = commands.add_parser("workflows", help="list the workflows")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(command=later("workflows", "workflows_command"))

    _add_history(commands.add_parser("history", help="list runs of earlier, or search them"))
    _add_records(commands)
    _add_documents(commands.add_parser("documents", help="what research runs search"))

    serve = commands.add_parser("serve-model", help="serve the bundled model on this machine")
    serve.add_argument("--port", type=_port, help="a fixed port; without it, any free one")
    serve.set_defaults(command=later("serve", "serve_command"))

    doctor = commands.add_parser("doctor", help="check this installation, and say what to do")
    add_doctor_flags(doctor)
    doctor.set_defaults(command=later("doctor", "doctor_command"))

    sbom = commands.add_parser("sbom", help="list what Fanout is made of, with licences")
    sbom.add_argument("--format", choices=("cyclonedx", "licences"), default="cyclonedx")
    sbom.set_defaults(command=later("sbom", "sbom_command"))
    return parser


def _add_edits(run: argparse.ArgumentParser) -> None:
    """What may be changed about a workflow for one run."""
    run.add_argument("--times", type=_positive, help="ask every branch so often")
    run.add_argument("--models", help="models workflow: the models to compare, as A,B,C")
    run.add_argument(
        "--documents",
        nargs="+",
        metavar="FILE",
        help="research: add these files to the documents and search only them",
    )
    run.add_argument(
        "--rule",
        choices=("plurality", "majority", "unanimity", "any_block", "k_of_n", "weighted"),
        help="moderation, reasoning: how votes are counted",
    )
    run.add_argument(
        "--votes-needed", type=_positive, metavar="K", help="how many votes k_of_n needs"
    )
    run.add_argument(
        "--early-stop",
        choices=("never", "decided", "likely"),
        help="moderation, reasoning: when the votes that are still out are called off",
    )


def _add_shape(command: argparse.ArgumentParser) -> None:
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON object at the end")
    shape.add_argument("--events", action="store_true", help="print one JSON event per line")


def _add_history(history: argparse.ArgumentParser) -> None:
    history.add_argument("--search", default="", metavar="WORDS", help="in topics, texts and notes")
    history.add_argument("--workflow", action="append", default=[], metavar="NAME")
    history.add_argument("--model", action="append", default=[], metavar="NAME")
    history.add_argument(
        "--status", action="append", default=[], choices=[one.value for one in RunStatus]
    )
    history.add_argument("--tag", action="append", default=[])
    history.add_argument("--since", default="", metavar="DAY", help="2026-11-22, included")
    history.add_argument("--until", default="", metavar="DAY", help="2026-11-22, not included")
    history.add_argument("--favourites", action="store_true")
    history.add_argument("--rows", action="store_true", help="rows of batches as well")
    history.add_argument("--batch", default="", metavar="ID", help="only the rows of that batch")
    history.add_argument("--limit", type=_positive, default=20)
    history.add_argument("--json", action="store_true", help="print JSON")
    history.set_defaults(command=later("history", "history_command"))


def _add_records(commands: Commands) -> None:
    """What can be done with a run of earlier."""
    which = 'its id, or "last"'
    show = commands.add_parser("show", help="print a run of earlier")
    show.add_argument("run", type=_run_id, metavar="RUN", help=which)
    _add_shape(show)
    show.set_defaults(command=later("show", "show_command"))
    resume = commands.add_parser("resume", help="ask what is missing of a run, and only that")
    resume.add_argument("run", type=_run_id, metavar="RUN", help=which)
    _add_shape(resume)
    resume.set_defaults(command=later("resume", "resume_command"))
    replay = commands.add_parser("replay", help="play a run again with its own timing")
    replay.add_argument("run", type=_run_id, metavar="RUN", help=which)
    replay.add_argument(
        "--speed", type=float, choices=(0, 1, 2, 5), default=1, help="times as fast; 0 is at once"
    )
    replay.set_defaults(command=later("show", "replay_command"))
    export = commands.add_parser("export", help="write a run or a batch as a file to hand over")
    which_batch = f'{which}; a batch\'s id, or "last-batch"'
    export.add_argument("runs", type=_run_id, nargs="+", metavar="RUN", help=which_batch)
    forms = tuple(dict.fromkeys((*FORMATS, *BATCH_FORMATS, "zip")))
    export.add_argument("--format", choices=forms, required=True)
    export.add_argument(
        "--output", default="", metavar="PATH", help="a file or a folder; without it, printed"
    )
    export.set_defaults(command=later("exporting", "export_command"))
    importing = commands.add_parser(
        "import", help="bring runs back from JSON exports, or a zip of them"
    )
    importing.add_argument("files", nargs="+", metavar="FILE")
    importing.set_defaults(command=later("exporting", "import_command"))


def _add_documents(documents: argparse.ArgumentParser) -> None:
    actions = documents.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the documents")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(command=later("documents", "list_command"))
    add = actions.add_parser("add", help="add files: txt, md, html, csv, pdf, docx")
    add.add_argument("files", nargs="+", metavar="FILE")
    add.set_defaults(command=later("documents", "add_command"))
    remove = actions.add_parser("remove", help="remove documents")
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.set_defaults(command=later("documents", "remove_command"))


def _run_id(text: str) -> str:
    return text.strip()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535; {text} is not")
    return int(text)
