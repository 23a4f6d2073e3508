"""What users see of the commands: in terminals, in files, in any encoding, and after Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.management.command import LogtoCommand
from logto_auth.management.texts import counted, duration, padded, width_of, wrapped
from tests.processes import child
from tests.sync.own_site import ROOT, OwnSite
from tests.sync.test_killed import add_accounts

CHINESE, EMOJI = "\u4e66\u5e97", "\U0001f4da"
COMMANDS = sorted(name for name, app in get_commands().items() if str(app).startswith("logto_auth"))
COLOR = "\x1b["


def run(site: OwnSite, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose output goes to pipes. `environment` has variables to change."""
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env=site.environment | environment,
        capture_output=True,
        input=stdin.encode(),
        timeout=60,
    )


def run_in_terminal(site: OwnSite, *arguments: str, columns: int = 100, **environment: str) -> str:
    """Run a command in a terminal of this width, and return all that it shows there."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    inherited = {name: value for name, value in site.environment.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={**inherited, "TERM": "xterm", **environment},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ):
        os.close(terminal)
        shown = b""
        while True:
            try:
                read = os.read(main, 65536)
            except OSError as error:
                # Linux reports the end of a terminal as an error.
                if error.errno != errno.EIO:
                    raise
                break
            if not read:
                break
            shown += read
    os.close(main)
    return shown.decode().replace("\r\n", "\n")


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


def test_help_of_emulator_has_examples(site: OwnSite) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "logto_auth.emulator", "--help"], cwd=ROOT, capture_output=True, timeout=60
    )
    assert shown.stdout.isascii()
    assert b"examples:\n  python -m logto_auth.emulator\n" in shown.stdout


# Encodings


@pytest.fixture
def suspended(logto: Emulator) -> str:
    """The e-mail of a suspended user, with Chinese characters. `logto_sync --create -v 2` names the user."""
    email = f"{CHINESE}{EMOJI}@shop.example"
    logto.tenant.add_user(username=None, primary_email=email, is_suspended=True)
    return email


NAMING_USERS = ("logto_sync", "--create", "-v", "2")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_unencodable_text_is_escaped(site: OwnSite, suspended: str, encoding: str) -> None:
    shown = run(site, *NAMING_USERS, PYTHONIOENCODING=encoding)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert rb"(\u4e66\u5e97\U0001f4da@shop.example): " in shown.stdout


def test_c_locale_does_not_stop_commands(site: OwnSite, suspended: str) -> None:
    shown = run(site, *NAMING_USERS, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"unknown: 1\n" in shown.stdout


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_is_valid_in_each_encoding(site: OwnSite, suspended: str, encoding: str) -> None:
    shown = run(site, *NAMING_USERS, "--json", PYTHONIOENCODING=encoding)
    assert (shown.returncode, shown.stderr) == (0, b"")
    (message,) = json.loads(shown.stdout)["messages"]
    assert f"({suspended})" in message


# Pipes


def test_pipe_gets_neither_colors_nor_bars(logto: Emulator, site: OwnSite) -> None:
    logto.tenant.add_user(username="reader")
    shown = run(site, "logto_sync", "--create")
    assert (shown.stdout, shown.stderr) == (b"created: 1\n", b"")
    shown = run(site, "logto_doctor")
    assert shown.returncode == 1
    assert COLOR.encode() not in shown.stdout + shown.stderr


def test_refused_question_ends_its_line(site: OwnSite) -> None:
    arguments = ["logto_setup", "--base-url", "http://localhost:8000", "--name", "Shop"]
    shown = run(site, *arguments, stdin="n\n", LOGTO_APP_ID="")
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
    shown = run(site, "logto_sync", SYNC_DATABASE=str(tmp_path / "empty.sqlite3"))
    assert shown.returncode == 1
    (line,) = shown.stderr.decode().splitlines()
    assert re.fullmatch(
        r"CommandError: The database reports: no such table: .* Has `manage.py migrate` been run\?", line
    )


# Terminals


def test_terminal_gets_colors_unless_no_color_is_set(site: OwnSite) -> None:
    assert COLOR in run_in_terminal(site, "logto_doctor")
    assert COLOR not in run_in_terminal(site, "logto_doctor", NO_COLOR="1")
    assert COLOR not in run_in_terminal(site, "logto_doctor", "--no-color")


@pytest.mark.parametrize("columns", [40, 72])
def test_doctor_fits_into_narrow_terminals(site: OwnSite, columns: int) -> None:
    shown = run_in_terminal(site, "logto_doctor", "--no-color", columns=columns)
    assert "failure" in shown
    for line in shown.splitlines():
        # Words, such as URLs, are not divided.
        text = line if columns == 40 else line[30:]
        assert len(line) <= columns or " " not in text.strip(), line


def test_table_becomes_list_on_narrow_terminals(site: OwnSite) -> None:
    assert "FACTORY " in run_in_terminal(site, "logto_connectors", "factories", columns=200)
    narrow = run_in_terminal(site, "logto_connectors", "factories", columns=40)
    assert "factory: alipay-web\nname: " in narrow


@pytest.mark.parametrize("columns", [30, 60, 100])
def test_progress_bar_shows_rate_and_remaining_time_and_fits(logto: Emulator, site: OwnSite, columns: int) -> None:
    for number in range(1500):
        logto.tenant.add_user(username=f"reader{number}")
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.15)
    shown = run_in_terminal(site, "logto_sync", "--create", "--no-color", columns=columns)
    lines = [line for line in re.split(r"[\r\n]", shown) if line.startswith("users")]
    assert lines
    assert max(map(len, lines)) < columns
    assert any(" of 1,500" in line for line in lines)
    if columns == 100:
        assert any(re.search(r"\] 1,000 of 1,500, [0-9]+/s, [0-9]+ s left", line) for line in lines), lines


# Ctrl-C


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["logto_sync", "--create", "--json"], "Interrupted. Start the command again to resume the run."),
        (["logto_import", "--json"], "Interrupted. Start the command again to import the rest."),
        (["logto_migrate", "plan", "--json"], "Interrupted. The plan is not complete."),
        (["logto_doctor", "--json"], "Interrupted before the last check."),
        (["logto_connectors", "list", "--json"], "Interrupted. `logto_connectors list` shows the current state."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "text",
)
def test_ctrl_c_ends_with_130_and_valid_json(logto: Emulator, site: OwnSite, arguments: list[str], said: str) -> None:
    for number in range(300):
        logto.tenant.add_user(username=f"reader{number}")
    add_accounts(site, 100)
    logto.requests.clear()
    logto.faults.http["management_api"] = HttpFault(delay_seconds=3)
    logto.faults.http["discovery"] = HttpFault(delay_seconds=3)
    with child([sys.executable, "-m", "django", *arguments], cwd=ROOT, env=site.environment) as process:
        while not logto.requests:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == f"CommandError: {said}"
    assert json.loads(output)["error"] == said


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
