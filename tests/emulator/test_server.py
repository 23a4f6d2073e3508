import signal
import socket
import subprocess
import sys
import textwrap
import time
from email.utils import parsedate_to_datetime
from itertools import takewhile
from pathlib import Path

import pytest
import requests

from logto_auth.emulator import Emulator, PortInUse, run_in_thread
from logto_auth.emulator.__main__ import main
from tests.processes import child

ROOT = Path(__file__).parents[2]


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_emulator_serves_localhost_and_127_0_0_1(emulator):
    port = emulator.endpoint.rpartition(":")[2]
    for host in ("localhost", "127.0.0.1"):
        assert requests.get(f"http://{host}:{port}/api/status", timeout=5).status_code == 204


def test_emulator_listens_on_loopback_only(emulator):
    assert emulator._server.server_address[0] == "127.0.0.1"


def test_busy_port_raises_port_in_use(busy_port):
    with pytest.raises(PortInUse, match=f"Cannot listen on port {busy_port} of 127.0.0.1"):
        run_in_thread(port=busy_port)


def test_two_emulators_run_in_parallel():
    with run_in_thread() as first, run_in_thread() as second:
        assert first.endpoint != second.endpoint


def test_emulator_can_be_stopped_twice_and_restarted():
    emulator = Emulator()
    with emulator.start():
        with pytest.raises(RuntimeError, match="already running"):
            emulator.start()
        assert requests.get(f"{emulator.endpoint}/api/status", timeout=5).status_code == 204
    emulator.stop()
    with emulator:
        assert requests.get(f"{emulator.endpoint}/api/status", timeout=5).status_code == 204


def test_emulator_prints_nothing(capfd):
    with run_in_thread() as emulator:
        requests.get(f"{emulator.endpoint}/oidc/jwks", timeout=5)
    assert capfd.readouterr() == ("", "")


# The command line


def test_command_refuses_other_hosts(capsys):
    assert main(["--host", "0.0.0.0"]) == 1
    assert "127.0.0.1 only, not on 0.0.0.0" in capsys.readouterr().err


def test_command_refuses_invalid_port(capsys):
    with pytest.raises(SystemExit):
        main(["--port", "99999"])
    assert "from 0 to 65535" in capsys.readouterr().err


def test_command_reports_busy_port_in_one_sentence(busy_port, capsys):
    assert main(["--port", str(busy_port)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_date_header_uses_emulator_clock(emulator):
    emulator.clock.advance(-3600)
    date = parsedate_to_datetime(requests.get(f"{emulator.issuer}/jwks", timeout=5).headers["Date"]).timestamp()
    assert abs(time.time() - date - 3600) < 5


def test_command_runs_until_ctrl_c():
    command = [sys.executable, "-m", "logto_auth.emulator", "--port", "0", "--base-url", "http://localhost:8123/"]
    with child(command, cwd=ROOT) as process:
        text = "".join(takewhile(lambda line: "Ctrl-C" not in line, iter(process.stdout.readline, "")))
        assert "NOT A PRODUCTION SERVER" in text
        assert "http://localhost:8123/callback" in text
        assert "customer-password" in text
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "Stopped." in output


@pytest.mark.parametrize("missing", ["flask", "authlib", "joserfc"])
def test_missing_library_raises_import_error_with_hint(missing):
    program = textwrap.dedent(f"""
        import sys
        sys.modules[{missing!r}] = None
        try:
            import logto_auth.emulator
        except ImportError as error:
            print(error)
    """)
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"needs {missing}" in result.stdout
    assert 'pip install "logto_auth[emulator]"' in result.stdout


def test_emulator_imports_nothing_else_of_the_package():
    program = "import sys, logto_auth.emulator; print([m for m in sys.modules if m.startswith('logto_auth.')])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all("emulator" in name for name in eval(result.stdout))
