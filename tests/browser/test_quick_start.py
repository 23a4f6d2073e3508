"""The quick starts of README.md and of the guide, followed literally in an empty folder and an empty environment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.docs.pages import blocks_of, the_block
from tests.processes import child
from tests.servers import free_port, lacking

from .conftest import browser_profile
from .people import choose_account
from .running import ROOT, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

README = "README.md"
GUIDE = "docs/how-to/add-to-a-site.md"
# What both pages install.
REQUIREMENT = '"logto-auth[emulator]"'
SUPERUSER, PASSWORD = "root", "a-long-password-of-root"
NO_NETWORK = re.compile(r"No matching distribution|Failed to establish|Connection|Temporary failure", re.IGNORECASE)


class Reader:
    """A developer with an empty folder and an empty environment, who does what a page says."""

    def __init__(self, page: str, folder: Path, environment: Path, wheel: Path) -> None:
        self.page = page
        self.folder = folder
        self.wheel = wheel
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LOGTO_", "DJANGO_", "PYTEST_", "PYTHON", "TEST_"))
        }
        # The answers to the questions of `createsuperuser`.
        answers = {
            "DJANGO_SUPERUSER_USERNAME": SUPERUSER,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "DJANGO_SUPERUSER_EMAIL": "root@example.com",
        }
        path = os.pathsep.join([str(environment / "bin"), inherited["PATH"]])
        self.environment = {**inherited, **answers, "PATH": path}

    def follow(self) -> str:
        """Do what the blocks of the page say, in their order. Return the command that starts the server."""
        for block in blocks_of(self.page):
            if block.kind == "site settings":
                self.append("settings.py", block.code)
            elif block.kind == "site urls":
                (self.folder / "mysite" / "urls.py").write_text(block.code)
            elif block.kind == "site view":
                self.append("urls.py", block.code)
            elif block.kind == "quick start":
                for command in re.findall(r"^\$ (.+)$", block.code, re.MULTILINE):
                    if "runserver" in command:
                        return command
                    self.run(command)
        raise AssertionError(f"{self.page} starts no server.")

    def append(self, file: str, code: str) -> None:
        with (self.folder / "mysite" / file).open("a") as stream:
            stream.write(f"\n{code}")

    def run(self, command: str) -> None:
        # Nothing is on PyPI before the release, and this test is about the files here.
        command = command.replace(REQUIREMENT, f'"{self.wheel}[emulator]"')
        command = command.replace("createsuperuser", "createsuperuser --noinput")
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr

    @contextmanager
    def serving(self, command: str) -> Iterator[None]:
        """Run the command that starts the server, on free ports, until Ctrl-C."""
        other_ports = f"logto_auth.emulator --port {free_port()} --base-url {self.url} --"
        command = command.replace("logto_auth.emulator --", other_ports).replace("runserver", f"runserver {self.port}")
        path = self.folder / "output"
        with path.open("w") as output:
            # A terminal sends Ctrl-C to all processes of the command.
            options = {"cwd": self.folder, "env": self.environment, "start_new_session": True, "stderr": output}
            with child(["sh", "-c", f"exec {command}"], stdout=output, **options) as process:
                try:
                    wait_for(self.port, process, path)
                    yield
                    os.killpg(process.pid, signal.SIGINT)
                    assert process.wait(30) == 0, path.read_text()
                finally:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
        assert "Traceback" not in path.read_text(), path.read_text()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def wheel(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        str(environment / "bin" / "python"),
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "-w",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode and NO_NETWORK.search(done.stderr):
        lacking(f"the packages of PyPI: {done.stderr}")
    assert done.returncode == 0, done.stderr
    [file] = folder.glob("*.whl")
    return file


@contextmanager
def tab(chromium: Browser, reader: Reader, path: str) -> Iterator[Page]:
    """Open a page of the site in a fresh browser."""
    with browser_profile(chromium, reader.url) as context:
        page = context.new_page()
        page.goto(path)
        yield page


def expect_admin(page: Page) -> None:
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def sign_in_with_password(page: Page) -> None:
    page.get_by_label("Username").fill(SUPERUSER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize(
    ("page", "path", "text"),
    [(README, "/", '{"user": "editor", "roles at Logto": ["editor"]}'), (GUIDE, "/orders/", "Orders of editor")],
)
def test_page_can_be_followed_literally(
    page: str, path: str, text: str, chromium: Browser, environment: Path, wheel: Path, tmp_path: Path
) -> None:
    reader = Reader(page, tmp_path, environment, wheel)
    command = reader.follow()
    with reader.serving(command):
        with tab(chromium, reader, path) as user:
            choose_account(user, "editor")
            expect(user.locator("body")).to_have_text(text)
        with tab(chromium, reader, "/admin/") as superuser:
            sign_in_with_password(superuser)
            expect_admin(superuser)
        with tab(chromium, reader, f"/sign-in?next={path}") as admin:
            choose_account(admin, "admin")
            expect(admin.locator("body")).to_contain_text("admin")
            expect_admin(admin)
    if page != GUIDE:
        return
    reader.append("settings.py", the_block(GUIDE, "site admin").code)
    with reader.serving(command):
        with tab(chromium, reader, "/admin/") as admin:
            choose_account(admin, "admin")
            expect_admin(admin)
        # The way in without Logto, which the guide shows.
        with tab(chromium, reader, "/admin/login/password/") as superuser:
            sign_in_with_password(superuser)
            expect_admin(superuser)
