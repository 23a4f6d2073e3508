"""The e-mails that a Logto sends: by a connector for SMTP, to a server of the run. The emulator keeps them itself."""

from __future__ import annotations

import email
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from .sites import THIS_MACHINE, eventually
from .targets import Target

SMTP = "simple-mail-transfer-protocol"
TEXT = "Your code: {{code}}, your link: {{link}}"
TEMPLATES = (
    "Register",
    "SignIn",
    "ForgotPassword",
    "Generic",
    "UserPermissionValidation",
    "BindNewIdentifier",
    "OrganizationInvitation",
)


class Mailbox:
    """The codes that Logto has sent."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._received: dict[str, list[str]] = {}

    def receive(self, recipient: str, message: Message) -> None:
        text = str(message.get_payload(decode=True), "utf-8")
        self._received.setdefault(recipient, []).append(text)

    def code_for(self, address: str) -> str:
        """Return the code in the last message to an address."""
        if self._target.emulator is not None:
            return self._target.emulator.messages.code_for(address)
        eventually(lambda: address in self._received, lambda: f"No e-mail has come, only {list(self._received)}")
        found = re.search(r"\b[0-9]{6}\b", self._received[address][-1])
        assert found, self._received[address][-1]
        return found[0]

    def link_for(self, address: str) -> str:
        """Return the link in the last invitation to an address."""
        if self._target.emulator is not None:
            return str(self._target.emulator.messages.to(address)[-1].payload["link"])
        eventually(lambda: address in self._received, lambda: f"No e-mail has come, only {list(self._received)}")
        found = re.search(r"your link: (\S+)", self._received[address][-1])
        assert found, self._received[address][-1]
        return found[1]


class _Server(ThreadingTCPServer):
    daemon_threads = True
    mailbox: Mailbox


class _Conversation(StreamRequestHandler):
    """One connection of a client. Source: RFC 5321, and RFC 4954 for AUTH. Every login is accepted."""

    def handle(self) -> None:
        recipients: list[str] = []
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "EHLO":
                self._say("250-hello", "250 AUTH PLAIN")
            elif verb == "AUTH":
                self._say("235 accepted")
            elif verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
                self._say("250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                self._receive(recipients)
                self._say("250 ok")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _receive(self, recipients: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        assert isinstance(self.server, _Server)
        for recipient in recipients:
            self.server.mailbox.receive(recipient, email.message_from_bytes(b"".join(lines)))

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def open_mailbox(target: Target) -> Iterator[Mailbox]:
    """Let Logto send e-mails to a mailbox of the run, until the block ends. Skip if it has a connector of others."""
    _remove_old_connector(target)
    mailbox = Mailbox(target)
    site_host = target.options.site_host
    with _Server(("0.0.0.0" if site_host else THIS_MACHINE, 0), _Conversation) as server:
        server.mailbox = mailbox
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        config = {
            "host": site_host or THIS_MACHINE,
            "port": server.server_address[1],
            "auth": {"type": "login", "user": target.run, "pass": target.run},
            "fromEmail": _sender(target.run),
            "ignoreTLS": True,
            "templates": [
                {
                    "usageType": each,
                    "contentType": "text/plain",
                    "subject": "Code",
                    "content": "Your code: {{code}}, your link: {{link}}",
                }
                for each in TEMPLATES
            ],
        }
        connector = target.api.post("connectors", {"connectorId": SMTP, "config": config})
        try:
            yield mailbox
        finally:
            target.api.delete(f"connectors/{connector['id']}")
            server.shutdown()


def _remove_old_connector(target: Target) -> None:
    """Remove what a killed run has left. Logto allows one connector for e-mails, and would replace it."""
    for connector in target.api.get("connectors"):
        if connector["type"] != "Email":
            continue
        if not str(connector["config"].get("fromEmail", "")).startswith("live_"):
            pytest.skip("the tenant already has a connector for e-mails")
        target.api.delete(f"connectors/{connector['id']}")


def _sender(run: str) -> str:
    return f"{run}@example.com"
