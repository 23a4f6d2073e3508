"""The base class of all commands of this package: output that suits the terminal, JSON for scripts, clear endings."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
    OutputWrapper,
)
from django.db import OperationalError, ProgrammingError

from .encodable import EncodableStream

__all__ = ["BROKEN_PIPE", "INTERRUPTED", "LogtoCommand", "add_examples"]

# Exit codes, as shells use them: 128 and the number of the signal.
INTERRUPTED, BROKEN_PIPE = 130, 141
_EXAMPLES = "examples:\n"


class _HelpFormatter(DjangoHelpFormatter):
    """Keeps the lines of examples as they are, for copying."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(_EXAMPLES) else super()._fill_text(text, width, indent)


def add_examples(parser: ArgumentParser, *examples: str) -> None:
    """Show these command lines below the options in `--help`."""
    if not examples:
        return
    parser.formatter_class = _HelpFormatter
    parser.epilog = _EXAMPLES + "\n".join(f"  python manage.py {example}" for example in examples)


class LogtoCommand(BaseCommand):
    """A command whose `--json` prints `result`, and whose output no terminal refuses.

    - With `--json`, one JSON value is printed at the end: `result`. If the command fails, the value is an object that
      has the member `error` too.
    - Characters that the terminal or the file cannot show are escaped.
    - Colours are for terminals only, and not with the environment variable NO_COLOR.
    - Ctrl-C ends the command with the exit code 130 and the text `interrupted`.
    - An error of the database is a sentence, not a traceback. A bug is a traceback, and `error` in the JSON.
    """

    examples: tuple[str, ...] = ()
    """Command lines for `--help`, without `python manage.py`."""
    interrupted = "Interrupted. Nothing was changed."

    def __init__(self, stdout: Any = None, stderr: Any = None, no_color: bool = False, force_color: bool = False):
        # https://no-color.org
        no_color = no_color or (bool(os.environ.get("NO_COLOR")) and not force_color)
        out: Any = EncodableStream(stdout or sys.stdout)
        err: Any = EncodableStream(stderr or sys.stderr)
        super().__init__(out, err, no_color, force_color)
        self.result: Any = {}
        self.is_json = False
        self.verbosity = 1

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, with the examples in its help."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        add_examples(parser, *self.examples)
        return parser

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run the command. Raise CommandError for every failure that is not a bug."""
        for name in ("stdout", "stderr"):
            if options.get(name):
                options[name] = EncodableStream(options[name])
        self.result, self.is_json = {}, bool(options.get("json"))
        self.verbosity = options.get("verbosity", 1)
        self._is_forced_color = bool(options.get("force_color"))
        try:
            return self._execute(*args, **options)
        except BrokenPipeError:
            # The reader has ended, as in `... | head`. Python would complain again when it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE)

    def _execute(self, *args: Any, **options: Any) -> Any:
        try:
            printed = super().execute(*args, **options)
        except KeyboardInterrupt:
            self._fail(CommandError(self.interrupted, returncode=INTERRUPTED))
        except CommandError as error:
            self._fail(error)
        except (OperationalError, ProgrammingError) as error:
            if options.get("traceback"):
                raise
            lines = str(error).strip().splitlines() or [type(error).__name__]
            self._fail(CommandError(f"The database reports: {lines[0]}. Has `manage.py migrate` been run?"))
        except BrokenPipeError:
            raise
        except SystemExit:
            self._print_result()
            raise
        except Exception as error:
            # The traceback has the rest.
            self._print_error(f"{type(error).__name__}: {error}")
            raise
        self._print_result()
        self.stdout.flush()
        return printed

    def _fail(self, error: CommandError) -> None:
        self._print_error(str(error))
        raise error from error.__cause__

    def _print_error(self, text: str) -> None:
        data = self.result if isinstance(self.result, dict) else {}
        self.result = {**data, "error": text}
        self._print_result()

    def _print_result(self) -> None:
        if self.is_json:
            # JSON has escapes of its own for what the stream cannot encode.
            is_ascii = not getattr(self.stdout, "is_unicode", False)
            self.stdout.write(json.dumps(self.result, indent=2, ensure_ascii=is_ascii))

    # Output for people

    def say(self, *lines: str) -> None:
        """Write lines for people to stdout. With `--json`, do nothing."""
        if not self.is_json:
            self.stdout.write("\n".join(lines))

    def detail(self, text: str) -> None:
        """Write a line for people to stdout with `--verbosity 2`."""
        if self.verbosity > 1:
            self.say(text)

    def warn(self, *lines: str) -> None:
        """Write a warning to stderr, also with `--json`."""
        self.stderr.write(self.styled("\n".join(lines), "WARNING", self.stderr), str)

    def styled(self, text: str, style: str, stream: OutputWrapper | None = None) -> str:
        """Return the text in a style of Django if the stream is a terminal. The stream is stdout by default."""
        if self._is_forced_color or (stream or self.stdout).isatty():
            return str(getattr(self.style, style)(text))
        return text
