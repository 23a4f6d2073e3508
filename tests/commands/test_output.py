"""What users see of the commands: in terminals, in files, in any encoding, and after Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands, load_command_class

from logto_auth.conf import conf
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.__main__ import main as emulator_main
from logto_auth.management.command import LogtoCommand
from logto_auth.management.texts import counted, duration, padded, width_of, wrapped
from logto_auth.models import LogtoIdentity
from tests.management_commands import Run
from tests.management_commands import fresh as fresh
from tests.management_commands import run as run
from tests.processes import child
from tests.sync.own_site import ROOT, OwnSite
from tests.sync.test_killed import add_accounts

CHINESE, EMOJI = "\u4e66\u5e97", "\U0001f4da"
COMMANDS = sorted(name for name, app in get_commands().items() if str(app).startswith("logto_auth"))
COLOR = "\x1b["


def run_process(
    site: OwnSite, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose output goes to pipes. `environment` has variables to change."""
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env=site.environment | environment,
        capture_output=True,
        input=stdin.encode(),
        timeout=60,
    )


class Terminal:
    """A terminal of 24 lines, which notes what it shows. Commands that run in it get `process` as stdout and stderr."""

    def __init__(self, columns: int) -> None:
        self._main, self.process = pty.openpty()
        fcntl.ioctl(self.process, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._shown = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def close(self) -> str:
        """Close it when the command has ended, and return all that it has shown."""
        os.close(self.process)
        self._reader.join()
        os.close(self._main)
        return self._shown.decode().replace("\r\n", "\n")

    def _read(self) -> None:
        while True:
            try:
                read = os.read(self._main, 65536)
            except OSError as error:
                # Linux reports the end of a terminal as an error.
                if error.errno != errno.EIO:
                    raise
                return
            if not read:
                return
            self._shown += read


def run_in_terminal(*arguments: str, columns: int = 100, **environment: str) -> str:
    """Run a command in a terminal of this width, in this process, and return all that it shows there."""
    terminal = Terminal(columns)
    shown = os.fdopen(os.dup(terminal.process), "w", encoding="utf-8")
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("COLUMNS", "NO_COLOR", "PY_COLORS"):
                patch.delenv(name, raising=False)
            for name, value in {"TERM": "xterm", **environment}.items():
                patch.setenv(name, value)
            # Django looks at it to find out whether there are colours.
            patch.setattr(sys, "stdout", shown)
            with contextlib.suppress(CommandError, SystemExit):
                call_command(*arguments, stdout=shown, stderr=shown)
    finally:
        shown.close()
        text = terminal.close()
    return text


# Help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_plain_examples(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, LogtoCommand)
    parser = command.create_parser("manage.py", name)
    subparsers = [action.choices.values() for action in parser._actions if hasattr(action.choices, "values")]
    for each in [parser, *(sub for choices in subparsers for sub in choices)]:
        text = each.format_help()
        # Help is printed before the command can escape anything.
        assert text.isascii()
        assert f"examples:\n  python manage.py {name}" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_help_are_valid(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    subparsers = [action.choices.values() for action in parser._actions if hasattr(action.choices, "values")]
    for each in [parser, *(sub for choices in subparsers for sub in choices)]:
        for line in str(each.epilog).splitlines()[1:]:
            for example in line.split("&&"):
                words = example.partition(" > ")[0].split()
                parser.parse_args(words[words.index(name) + 1 :])


def test_help_of_emulator_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        emulator_main(["--help"])
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert "examples:\n  python -m logto_auth.emulator\n" in shown


# Encodings


NAMING_USERS = ("logto_sync", "--create", "-v", "2")


def add_suspended(logto: Emulator) -> str:
    """Return the e-mail of a suspended user, with Chinese characters. `logto_sync --create -v 2` names the user."""
    email = f"{CHINESE}{EMOJI}@shop.example"
    logto.tenant.add_user(username=None, primary_email=email, is_suspended=True)
    return email


def written(encoding: str, *arguments: str) -> bytes:
    """Run a command whose output goes to a file of this encoding, and return the file."""
    file = io.BytesIO()
    stdout: Any = io.TextIOWrapper(file, encoding=encoding, write_through=True)
    assert call_command(*arguments, stdout=stdout, stderr=io.StringIO()) is None
    return file.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_unencodable_text_is_escaped(fresh: Emulator, encoding: str) -> None:
    add_suspended(fresh)
    assert rb"(\u4e66\u5e97\U0001f4da@shop.example): " in written(encoding, *NAMING_USERS)


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "utf-16"])
def test_json_is_valid_in_each_encoding(fresh: Emulator, encoding: str) -> None:
    email = add_suspended(fresh)
    (message,) = json.loads(written(encoding, *NAMING_USERS, "--json").decode(encoding))["messages"]
    assert f"({email})" in message


def test_c_locale_does_not_stop_commands(logto: Emulator, site: OwnSite) -> None:
    add_suspended(logto)
    shown = run_process(site, *NAMING_USERS, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (shown.returncode, shown.stderr) == (0, b"")
    # A pipe gets neither colours nor bars.
    assert rb"(\u4e66\u5e97\U0001f4da@shop.example): " in shown.stdout
    assert b"\nunknown: 1\n" in shown.stdout
    assert not set(shown.stdout) & set(b"\x1b\r")


# Pipes


def test_refused_question_ends_its_line(site: OwnSite) -> None:
    arguments = ["logto_setup", "--base-url", "http://localhost:8000", "--name", "Shop"]
    shown = run_process(site, *arguments, stdin="n\n", LOGTO_APP_ID="")
    assert shown.returncode == 1
    assert shown.stderr.decode().splitlines() == [
        "Continue? [y/N] ",
        "CommandError: Aborted, nothing was changed. Use --yes in non-interactive runs.",
    ]


def test_reader_that_ends_early_gets_no_traceback(site: OwnSite) -> None:
    with child(
        [sys.executable, "-m", "django", "logto_connectors", "factories"], cwd=ROOT, env=site.environment
    ) as shown:
        assert shown.stdout is not None
        shown.stdout.close()
        _, errors = shown.communicate(timeout=60)
    assert (shown.returncode, errors) == (141, "")


def test_missing_tables_are_one_sentence(site: OwnSite, tmp_path: Path) -> None:
    shown = run_process(site, "logto_sync", SYNC_DATABASE=str(tmp_path / "empty.sqlite3"))
    assert shown.returncode == 1
    (line,) = shown.stderr.decode().splitlines()
    assert re.fullmatch(
        r"CommandError: The database reports: no such table: .* Has `manage.py migrate` been run\?", line
    )


# Terminals


@pytest.mark.usefixtures("fresh", "db")
def test_terminal_gets_colors_unless_no_color_is_set() -> None:
    assert COLOR in run_in_terminal("logto_doctor")
    assert COLOR not in run_in_terminal("logto_doctor", NO_COLOR="1")
    assert COLOR not in run_in_terminal("logto_doctor", "--no-color")


def test_process_in_terminal_shows_colors(site: OwnSite) -> None:
    terminal = Terminal(columns=100)
    environment = {name: value for name, value in site.environment.items() if name not in ("COLUMNS", "NO_COLOR")}
    subprocess.run(
        [sys.executable, "-m", "django", "logto_doctor"],
        cwd=ROOT,
        env=environment | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=terminal.process,
        stderr=terminal.process,
        timeout=60,
        check=False,
    )
    assert COLOR in terminal.close()


@pytest.mark.parametrize("columns", [40, 72])
@pytest.mark.usefixtures("fresh", "db")
def test_doctor_fits_into_narrow_terminals(columns: int) -> None:
    shown = run_in_terminal("logto_doctor", "--no-color", columns=columns)
    assert "failure" in shown
    for line in shown.splitlines():
        # Words, such as URLs, are not divided.
        text = line if columns == 40 else line[30:]
        assert len(line) <= columns or " " not in text.strip(), line


@pytest.mark.usefixtures("fresh", "db")
def test_table_becomes_list_on_narrow_terminals() -> None:
    assert "FACTORY " in run_in_terminal("logto_connectors", "factories", columns=200)
    narrow = run_in_terminal("logto_connectors", "factories", columns=40)
    assert "factory: alipay-web\nname: " in narrow


@pytest.mark.django_db
@pytest.mark.parametrize("columns", [30, 60, 100])
def test_progress_bar_shows_rate_and_remaining_time_and_fits(fresh: Emulator, columns: int) -> None:
    for number in range(1500):
        fresh.tenant.add_user(username=f"reader{number}")
    fresh.faults.http["management_api"] = HttpFault(delay_seconds=0.15 if columns == 100 else 0.02)
    shown = run_in_terminal("logto_sync", "--create", "--no-color", columns=columns)
    lines = [line for line in re.split(r"[\r\n]", shown) if line.startswith("users")]
    assert lines
    assert max(map(len, lines)) < columns
    assert any(" of 1,500" in line for line in lines)
    if columns == 100:
        assert any(re.search(r"\] 1,000 of 1,500, [0-9]+/s, [0-9]+ s left", line) for line in lines), lines


# Ctrl-C


def test_ctrl_c_ends_process_with_130_and_valid_json(logto: Emulator, site: OwnSite) -> None:
    said = "Interrupted. Start the command again to import the rest."
    add_accounts(site, 100)
    logto.requests.clear()
    logto.faults.http["management_api"] = HttpFault(delay_seconds=1)
    with child([sys.executable, "-m", "django", "logto_import", "--json"], cwd=ROOT, env=site.environment) as process:
        while not logto.requests:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == f"CommandError: {said}"
    assert json.loads(output)["error"] == said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["logto_sync", "--create"], "Interrupted. Start the command again to resume the run."),
        (["logto_import"], "Interrupted. Start the command again to import the rest."),
        (["logto_migrate", "plan"], "Interrupted. The plan is not complete."),
        (["logto_migrate", "status"], "Interrupted. The report is not complete."),
        (["logto_migrate", "rollback", "--yes"], "Interrupted. Start the command again to delete the rest."),
        (["logto_doctor"], "Interrupted before the last check."),
        (["logto_connectors", "list"], "Interrupted. `logto_connectors list` shows the current state."),
        (["logto_setup", "--yes"], "Interrupted. Run the command again to apply the rest."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_ctrl_c_is_explained(fresh: Emulator, run: Run, arguments: list[str], said: str) -> None:
    linked = get_user_model().objects.create_user("linked")
    LogtoIdentity.objects.create(user=linked, issuer=conf.issuer, sub=fresh.tenant.add_user(username="linked").id)
    get_user_model().objects.create_user("waiting")
    with interrupted_at_first_request(fresh):
        result = run(*arguments, "--json")
    assert (result.code, result.error) == (130, said)
    assert json.loads(result.out)["error"] == said


@contextlib.contextmanager
def interrupted_at_first_request(logto: Emulator) -> Iterator[None]:
    """Send Ctrl-C to this process when Logto gets the next request, whose answer takes a moment."""
    logto.requests.clear()
    for name in ("management_api", "discovery", "token"):
        logto.faults.http[name] = HttpFault(delay_seconds=0.5)

    def interrupt() -> None:
        while not logto.requests and not is_over.is_set():
            time.sleep(0.01)
        if not is_over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    is_over, former = threading.Event(), signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        signal.signal(signal.SIGINT, former)
        logto.faults.clear()


# Texts


def test_nouns_follow_their_numbers() -> None:
    assert [counted(number, "failure") for number in (0, 1, 2, 1200)] == [
        "0 failures",
        "1 failure",
        "2 failures",
        "1,200 failures",
    ]
    assert counted(2, "identity", "identities") == "2 identities"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (3599, "59:59 min"), (9000, "2:30 h")]
)
def test_durations_have_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_chinese_characters_are_two_columns_wide() -> None:
    assert width_of(CHINESE) == 4
    assert padded(CHINESE, 6) == f"{CHINESE}  "
    assert width_of("e\u0301") == 1


def test_wrapped_text_keeps_urls_whole() -> None:
    url = "https://shop.example/" + "a" * 60
    assert wrapped(f"The URL {url} is wrong.", width=40, indent=4) == f"The URL\n    {url}\n    is wrong."
    assert wrapped("a b", width=None, indent=4) == "a b"
