import signal
import socket
import subprocess
import sys
import textwrap
import time
from email.utils import parsedate_to_datetime
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from logto_auth.emulator import Emulator, PortInUse, run_in_thread, seed_demo
from logto_auth.emulator.__main__ import main
from tests.emulator.management_api_client import RESOURCE
from tests.emulator.relying_party import claims_of
from tests.processes import child
from tests.servers import free_port

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


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "logto.example"])
def test_hosts_of_a_network_need_a_flag(host, capsys):
    assert main(["--port", "0", "--host", host]) == 1
    assert "--expose-to-network" in capsys.readouterr().err
    with pytest.raises(ValueError, match="expose_to_network=True"):
        Emulator(host=host)


def test_flag_alone_does_not_change_the_host():
    with run_in_thread(expose_to_network=True) as emulator:
        assert emulator._server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "::1"])
def test_other_loopback_addresses_need_no_flag(host):
    with run_in_thread(host=host) as emulator:
        assert requests.get(f"{emulator.endpoint}/api/status", timeout=5).status_code == 204
        assert urlsplit(emulator.endpoint).hostname == host


def test_exposed_emulator_says_so_and_answers_at_each_address():
    port = free_port()
    command = [sys.executable, "-m", "logto_auth.emulator", "--port", str(port), "--host", "0.0.0.0"]
    public = "https://logto.example"
    with child([*command, "--expose-to-network", "--public-endpoint", public], cwd=ROOT) as process:
        text = "".join(takewhile(lambda line: "Ctrl-C" not in line, iter(process.stdout.readline, "")))
        documents = [
            requests.get(f"http://{host}:{port}/oidc/.well-known/openid-configuration", timeout=5).json()
            for host in ("127.0.0.1", "127.0.0.2")
        ]
        process.kill()
    assert "WARNING: IT LISTENS ON 0.0.0.0, AND OTHER MACHINES CAN REACH IT." in text
    assert "127.0.0.1 only" not in text
    assert f"Issuer        {public}/oidc" in text
    assert [document["issuer"] for document in documents] == [f"{public}/oidc"] * 2
    assert documents[1]["token_endpoint"] == f"http://127.0.0.2:{port}/oidc/token"


@pytest.mark.parametrize(
    "url",
    [
        "logto.example",
        "ftp://logto.example",
        "https://logto.example/oidc",
        "https://user:hush@logto.example",
        "https://logto.example?a=b",
        "https://logto.example?",
        "https://müller.example",
        "https://logto.example:port",
        "https://[logto",
        "https://",
    ],
)
def test_public_endpoint_must_be_an_origin(url, capsys):
    assert main(["--port", "0", "--public-endpoint", url]) == 1
    assert "is not an origin" in capsys.readouterr().err


def test_public_endpoint_is_the_issuer_of_all_tokens():
    with run_in_thread(seed=seed_demo, public_endpoint="https://logto.example/") as emulator:
        port = emulator._server.server_address[1]
        answer = requests.post(
            f"http://127.0.0.1:{port}/oidc/token",
            data={"grant_type": "client_credentials", "resource": RESOURCE, "scope": "all"},
            auth=("bookstoresetup0000001", "emulatoronlysecret00000000000003"),
            timeout=5,
        ).json()
        token = answer["access_token"]
        url = f"http://127.0.0.1:{port}/api/users"
        assert claims_of(token)["iss"] == "https://logto.example/oidc"
        assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code == 200


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


PRINT_THE_VARIABLES = """
import os
import sys
import urllib.request

names = ("LOGTO_ENDPOINT", "LOGTO_APP_ID", "LOGTO_APP_SECRET")
endpoint, *credentials = (os.environ[name] for name in names)
print("answers", urllib.request.urlopen(f"{endpoint}/api/status").status, *credentials, sys.argv[1:])
sys.exit(7)
"""
EMULATOR = [sys.executable, "-m", "logto_auth.emulator", "--port", "0"]


@pytest.mark.parametrize("separator", [[], ["--"]])
def test_command_runs_another_command_with_its_variables(separator, monkeypatch):
    monkeypatch.setenv("LOGTO_APP_ID", "of-another-logto")
    program = [sys.executable, "-c", PRINT_THE_VARIABLES, "--port", "8000"]
    ran = subprocess.run([*EMULATOR, *separator, *program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 7, ran.stderr
    assert "answers 204 bookstoredemo00000001 emulatoronlysecret00000000000001 ['--port', '8000']" in ran.stdout
    # The banner comes first, although its output goes to a pipe.
    assert ran.stdout.index("NOT A PRODUCTION SERVER") < ran.stdout.index("answers")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_command_stops_the_other_command(number):
    port = free_port()
    with child([*EMULATOR, "--", sys.executable, "-m", "http.server", str(port)], cwd=ROOT) as process:
        deadline = time.monotonic() + 20
        while not is_open(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert not is_open(port)


def test_unknown_other_command_is_reported_in_one_sentence():
    ran = subprocess.run([*EMULATOR, "--", "no-such-program"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "no-such-program" in ran.stderr


def is_open(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


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
