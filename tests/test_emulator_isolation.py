"""The emulator cannot be mistaken for a real Logto, and cannot be reached from other machines."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks

from logto_auth.emulator import Emulator, run_in_thread
from logto_auth.emulator.__main__ import main
from logto_auth.exceptions import ProviderError
from logto_auth.testing import Browser
from tests.support import Witness

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.0.1", "example.com", "127.0.0.1.evil.example", "localhost.evil.example", "0", ""],
)
def test_emulator_refuses_public_hosts(host: str, capsys: Any) -> None:
    assert main(["--port", "0", "--host", host]) == 1
    assert "--expose-to-network" in capsys.readouterr().err


def test_emulator_listens_on_loopback_only(logto: Emulator) -> None:
    port = int(logto.endpoint.rpartition(":")[2])
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with socket.socket() as client:
            client.settimeout(1)
            assert client.connect_ex((address, port)) != 0


def run_without_flask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where Flask is not installed."""
    (folder / "flask.py").write_text("raise ModuleNotFoundError(\"No module named 'flask'\", name='flask')")
    return subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": f"{folder}:{django_settings.BASE_DIR}"},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_command_without_the_extra_names_it_in_one_line(tmp_path: Path) -> None:
    ran = run_without_flask(tmp_path, "-m", "logto_auth.emulator")
    assert ran.returncode == 1
    assert ran.stderr == 'The Logto emulator needs flask, which is not installed: pip install "logto_auth[emulator]"\n'


def test_import_without_the_extra_is_an_import_error(tmp_path: Path) -> None:
    ran = run_without_flask(tmp_path, "-c", "import logto_auth.emulator")
    assert "ImportError: The Logto emulator needs flask, which is not installed" in ran.stderr


def test_demo_refuses_to_run_without_debug() -> None:
    environment = {"DJANGO_DEBUG": "0", "DJANGO_SECRET_KEY": "x" * 50, "DJANGO_SETTINGS_MODULE": "bookstore.settings"}
    finished = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=django_settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 1
    assert "DEBUG" in finished.stderr


def test_deployment_check_reports_emulator(logto: Emulator) -> None:
    found = run_checks(include_deployment_checks=True)
    assert "logto_auth.W005" in [message.id for message in found]


def test_token_of_another_emulator_is_refused(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    with run_in_thread() as other:
        assert {key.kid for key in other.keys.all()}.isdisjoint(key.kid for key in logto.keys.all())
        logto.faults.id_token = lambda header, claims: other.sign(claims)
        witness.sees_refused(lambda: browser.sign_in("reader"), "provider_error", 503)


def test_emulator_at_url_of_another_issuer_is_refused(logto: Emulator) -> None:
    from logto_auth.oidc.http import HTTPClient
    from logto_auth.oidc.provider import Provider

    # Its issuer is http://localhost:<port>/oidc whatever address it is reached by.
    provider = Provider(
        issuer=logto.issuer.replace("localhost", "127.0.0.1"),
        algorithms=["ES384"],
        http=HTTPClient(connect_seconds=1, total_seconds=1),
    )
    with pytest.raises(ProviderError, match="names the issuer"):
        _ = provider.metadata
