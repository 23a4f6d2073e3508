"""Connectors for e-mail and SMS. A tenant has at most one of each.

The emulator sends no messages. `Tenant.sent_messages` lists those that Logto would have sent, and the page
`/emulator/messages` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .refusals import Refused
from .sign_in_settings import SignInExperience
from .social_connectors import Connector, ConnectorFactory
from .verification_records import AddressKind

# A config needs a template for each of these.
USAGE_TYPES = ("Register", "SignIn", "ForgotPassword", "Generic")
TEST_CODE = "000000"

# The types of messages for which `message_connectors` has templates.
_ALL_USAGE_TYPES = (
    *USAGE_TYPES,
    "OrganizationInvitation",
    "UserPermissionValidation",
    "BindNewIdentifier",
    "MfaVerification",
    "BindMfa",
)


@dataclass(frozen=True)
class SentMessage:
    """A message that Logto would have sent. `payload` has the variables for the template of this `type`.

    `sent_at` is in milliseconds.
    """

    factory_id: str
    to: str
    code: str = field(default="", repr=False)
    type: str = "Generic"
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sent_at: int = 0


class SentMessages(list[SentMessage]):
    """The messages that Logto would have sent, oldest first."""

    def to(self, recipient: str) -> list[SentMessage]:
        """Return the messages to an e-mail address or a phone number."""
        return [message for message in self if message.to == recipient]

    def code_for(self, recipient: str) -> str:
        """Return the code in the last message to a recipient. Raise LookupError if there is none."""
        codes = [message.code for message in self.to(recipient) if message.code]
        if not codes:
            raise LookupError(f"No code was sent to {recipient}.")
        return codes[-1]

    def link_for(self, recipient: str) -> str:
        """Return the link in the last message to a recipient, such as an invitation. Raise LookupError without one."""
        links = [str(message.payload["link"]) for message in self.to(recipient) if "link" in message.payload]
        if not links:
            raise LookupError(f"No link was sent to {recipient}.")
        return links[-1]


def message_connector(experience: SignInExperience, kind: AddressKind, template: str) -> Connector:
    """Return the connector for e-mails or text messages.

    Raise 501 without one, and 400 if it has no template of this type and no `Generic` one.
    """
    type = "Email" if kind == "email" else "Sms"
    connectors = experience.connector_instances.values()
    connector = next((each for each in connectors if each.factory.type == type), None)
    if connector is None:
        raise Refused("connector.not_found", 501, type=type)
    if not {template, "Generic"} & {each.get("usageType") for each in connector.config.get("templates", [])}:
        raise Refused("connector.template_not_found")
    return connector


def refused_message() -> Refused:
    """Return the error for a message that the server of the connector refuses."""
    message = "Can't send mail - all recipients were rejected: 550 no such mailbox"
    return Refused("connector.general", data={"message": message}, description=f'{{"message":"{message}"}}')


def _item(type: str, key: str, label: str, placeholder: str = "", **more: Any) -> dict[str, Any]:
    shown = {"placeholder": placeholder} if placeholder else {}
    return {"key": key, "label": label, "type": type, "required": False, **shown, **more}


def _templates(**more: str) -> dict[str, Any]:
    default = [{"usageType": usage, "content": "Your code is {{code}}.", **more} for usage in USAGE_TYPES]
    return _item("Json", "templates", "Templates", required=True, defaultValue=default)


_SMTP_FORM = (
    _item("Text", "host", "Host", "<host>", required=True),
    _item("Number", "port", "Port", "25", required=True),
    _item(
        "Json",
        "auth",
        "Auth",
        required=True,
        defaultValue={"type": "login", "user": "<username>", "pass": "<password>"},
    ),
    _item("Text", "fromEmail", "From Email", "<from_email_address@your.domain>", required=True),
    _item("Text", "replyTo", "Reply To", "<do-reply@your.domain>"),
    _templates(contentType="text/plain", subject="Your code"),
    _item("Switch", "logger", "Logger", defaultValue=False),
    _item("Switch", "debug", "Debug", defaultValue=False),
    _item("Switch", "disableFileAccess", "Disable File Access", defaultValue=False),
    _item("Switch", "disableUrlAccess", "Disable URL Access", defaultValue=False),
    _item("Text", "name", "Name", "<Logto-SMTP>"),
    _item("Text", "localAddress", "Local Address", "<local_address>"),
    _item("Number", "connectionTimeout", "Connection Timeout"),
    _item("Number", "greetingTimeout", "Greeting Timeout"),
    _item("Number", "socketTimeout", "Socket Timeout"),
    _item("Number", "dnsTimeout", "DNS Timeout"),
    _item("Switch", "secure", "Secure", defaultValue=False),
    _item("Json", "tls", "TLS", defaultValue={}),
    _item("Text", "servername", "Servername", "<servername>"),
    _item("Switch", "ignoreTLS", "Ignore TLS"),
    _item("Switch", "requireTLS", "Require TLS"),
    _item("Json", "customHeaders", "Custom Headers", defaultValue={}),
)
_TWILIO_FORM = (
    _item("Text", "accountSID", "Account SID", "<account-sid>", required=True),
    _item("Text", "authToken", "Auth Token", "<auth-token>", required=True),
    _item(
        "Text", "fromMessagingServiceSID", "From Messaging Service SID", "<from-messaging-service-sid>", required=True
    ),
    _item("Switch", "disableRiskCheck", "Disable risk check", defaultValue=False),
    _templates(),
)


def _optional(form: tuple[dict[str, Any], ...]) -> frozenset[str]:
    return frozenset(item["key"] for item in form if not item["required"])


MESSAGE_FACTORIES = {
    factory.id: factory
    for factory in (
        ConnectorFactory(
            "simple-mail-transfer-protocol",
            "smtp",
            None,
            {"en": "SMTP"},
            {"en": "E-mail by any server."},
            _SMTP_FORM,
            type="Email",
            optional_keys=_optional(_SMTP_FORM),
        ),
        ConnectorFactory(
            "twilio-short-message-service",
            "twilio-sms",
            None,
            {"en": "Twilio SMS Service"},
            {"en": "SMS by Twilio."},
            _TWILIO_FORM,
            type="Sms",
            optional_keys=_optional(_TWILIO_FORM),
        ),
    )
}


def message_connectors() -> list[Connector]:
    """Return a connector for e-mails and one for text messages, with fixed ids and a template for each message."""
    # The message of an invitation has a link in place of a code.
    texts = {"OrganizationInvitation": "Your invitation: {{link}}"}
    templates = [
        {"usageType": usage, "content": texts.get(usage, "Your code is {{code}}.")} for usage in _ALL_USAGE_TYPES
    ]
    mail = [{**each, "subject": "Your code", "contentType": "text/plain"} for each in templates]
    smtp = {
        "host": "localhost",
        "port": 25,
        "auth": {"type": "login", "user": "emulator", "pass": "emulator"},
        "fromEmail": "logto@emulator.example",
        "templates": mail,
    }
    twilio = {
        "accountSID": "emulator",
        "authToken": "emulator",
        "fromMessagingServiceSID": "emulator",
        "templates": templates,
    }
    return [
        Connector(MESSAGE_FACTORIES["simple-mail-transfer-protocol"], smtp, id="emulatormail"),
        Connector(MESSAGE_FACTORIES["twilio-short-message-service"], twilio, id="emulatorsms0"),
    ]
