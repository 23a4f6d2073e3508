"""`manage.py logto_connectors`, with the Management API of the emulator."""

from __future__ import annotations

import io
import json
import re
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command

from logto_auth.connectors import alipay
from logto_auth.connectors.sign_in_page import SOCIAL_ONLY, TARGETS
from logto_auth.emulator import Emulator, HttpFault, Tenant
from logto_auth.testing import Browser
from tests.recorded import recording

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
# The first lines contain the modulus, which is public. This one is secret.
SECRET_LINE = PEM.splitlines()[-4]
APP_ID = "2021000000000000"


@pytest.fixture
def tenant(logto: Emulator, settings: Any) -> Tenant:
    """The tenant of a site that has a machine-to-machine application."""
    machine = logto.tenant.add_application(
        name="Scripts", type="MachineToMachine", roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return logto.tenant


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """A file with a private key on one line, as in an environment file."""
    file = tmp_path / "private.pem"
    file.write_text(PEM.replace("\n", "\\n"))
    return str(file)


@pytest.fixture
def set_stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that sets the text of the standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def run(*arguments: str) -> tuple[str, str]:
    """Run the command, and return its output and its warnings on stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("logto_connectors", *arguments, stdout=out, stderr=err)
    assert SECRET_LINE not in out.getvalue() + err.getvalue()
    return out.getvalue().strip(), err.getvalue().strip()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json")[0])


def error_of(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    assert SECRET_LINE not in str(caught.value)
    return str(caught.value)


def add_alipay(factory: str, key_file: str, *more: str) -> str:
    """Add a connector and return its id."""
    return run_json("add", factory, "--app-id", APP_ID, "--private-key-file", key_file, *more)["id"]


def stored(tenant: Tenant, connector_id: str) -> dict[str, Any]:
    return tenant.sign_in_experience.connector_instances[connector_id].config


def targets(tenant: Tenant) -> list[str]:
    return tenant.sign_in_experience.targets


# From start to end, as in the guide


@pytest.mark.django_db
def test_key_pair_to_sign_in_with_alipay(tenant: Tenant, browser: Browser, tmp_path: Path, settings: Any) -> None:
    private = tmp_path / "private.pem"
    public_key = run_json("alipay-keys", "--out", str(private))["public_key"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    out, _ = run("add", "alipay-web", "--app-id", APP_ID, "--private-key-file", str(private), "--sign-type", "RSA2")
    (connector,) = run_json("list")
    assert out.splitlines() == [
        f"Added {connector['id']} (alipay-web).",
        f"Callback URL to register at the provider: {settings.LOGTO_ENDPOINT}/callback/{connector['id']}",
        "To offer it: manage.py logto_connectors enable alipay",
    ]
    assert "Alipay" not in browser.logto.open(browser.start()).text
    out, warning = run("enable", "alipay")
    assert out == "Offered: alipay."
    assert warning == (
        "After the first sign-in with alipay, Logto asks new users for: username. "
        "`enable alipay --no-sign-up-identifier` turns this off."
    )
    assert run_json("show", "alipay-web")["public_key"] == public_key
    url = browser.start("/orders/", direct_sign_in="social:alipay")
    assert browser.open(browser.logto.sign_in_with_alipay(url, "2088000000000001", username="reader")).url == "/orders/"


# Adding


def test_config_is_stored_with_line_breaks_and_form_defaults(tenant: Tenant, key_file: str) -> None:
    native = add_alipay("alipay-native", key_file, "--sign-type", "RSA")
    assert stored(tenant, native) == {"appId": APP_ID, "privateKey": PEM, "signType": "RSA"}
    # Without a stored charset, alipay-web cannot sign.
    web = add_alipay("alipay-web", key_file)
    assert stored(tenant, web) == {"appId": APP_ID, "privateKey": PEM, "signType": "RSA2", "charset": "utf8"}


def test_key_is_read_from_standard_input(tenant: Tenant, set_stdin: Any) -> None:
    set_stdin(PEM)
    assert stored(tenant, add_alipay("alipay-native", "-"))["privateKey"] == PEM
    set_stdin(PEM)
    run_json("add", "alipay-web", "--set", f"appId={APP_ID}", "--set", "privateKey=@-")


def test_native_connector_alone_gives_a_browser_warning(tenant: Tenant, key_file: str) -> None:
    _, warning = run("add", "alipay-native", "--app-id", APP_ID, "--private-key-file", key_file)
    assert warning == (
        "Browsers do not show native connectors, only apps with Logto's SDK do. "
        "For a website, add alipay-web. It has the same target, so users have one account for both."
    )
    assert run("enable", "alipay")[1].splitlines()[0] == warning
    _, warning = run("add", "alipay-web", "--app-id", APP_ID, "--private-key-file", key_file)
    assert warning == ""
    assert "Browsers" not in run("enable", "alipay")[1]


def test_second_connector_is_refused_with_update_command(tenant: Tenant, key_file: str) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    assert error_of("add", "alipay-native", "--app-id", APP_ID, "--private-key-file", key_file) == (
        "The tenant has this connector already, and Logto allows only one. "
        f"To change it: manage.py logto_connectors update {connector_id}"
    )
    assert recording("alipay_native_created_twice")["body"]["code"] == "connector.multiple_instances_not_supported"


def test_config_errors_are_all_reported_and_nothing_is_sent(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_text("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n")
    message = error_of("add", "alipay-native", "--app-id", "2" * 17, "--private-key-file", str(tmp_path / "public.pem"))
    assert [line.partition(".")[0] for line in message.splitlines()] == [
        "appId: has 17 characters",
        "privateKey: this is a public key, which belongs in Alipay's console",
    ]
    assert error_of("add", "alipay-native", "--set", "charset=gbk", "--sign-type", "RSA3").splitlines() == [
        "signType: this value is invalid. Expected one of RSA, RSA2.",
        "charset: the form has no such key. It has appId, privateKey, signType.",
        'appId: is required, and has no default. Expected "App ID", such as "<app-id-with-maximum-length-16>".',
        'privateKey: is required, and has no default. Expected "Private Key", such as "<private-key>".',
    ]
    assert not tenant.sign_in_experience.connector_instances


def test_unknown_factory_is_refused_with_similar_ones(tenant: Tenant) -> None:
    assert error_of("add", "alipay") == "Logto has no factory 'alipay'. Expected one of: alipay-web, alipay-native."
    assert "oidc, mock-social-connector, simple-mail" in error_of("factories", "zzz")


def test_generic_connector_needs_a_target(tenant: Tenant) -> None:
    values = ["clientId=shop", "clientSecret=s3", "authorizationEndpoint=https://a", "tokenEndpoint=https://t"]
    config = [f"--set={value}" for value in values]
    assert "Pass --target" in error_of("add", "oidc", *config)
    added = run_json("add", "oidc", "--target", "idp", "--name", "Our IdP", "--sync-profile", *config)
    shown = run_json("show", added["id"])
    assert (shown["target"], shown["name"], shown["sync_profile"]) == ("idp", "Our IdP", True)
    assert shown["config"]["clientSecret"] == "(hidden)"
    assert error_of("add", "oidc", "--target", "idp", *config).endswith(f"update {added['id']}")
    run_json("add", "oidc", "--target", "other", *config)
    assert error_of("show", "oidc").startswith("The factory oidc has several connectors: ")
    assert run_json("update", added["id"], "--name", "The IdP")["changed"] == ["metadata"]
    assert run_json("show", added["id"])["name"] == "The IdP"
    assert tenant.sign_in_experience.connector_instances[added["id"]].target == "idp"
    assert "Omit --name" in error_of("add", "alipay-web", "--name", "Alipay")


# Changing


def test_update_keeps_other_values(tenant: Tenant, key_file: str) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    out, _ = run("update", "alipay-native", "--app-id", "2021000000000001")
    assert out == f"Changed in {connector_id} (alipay-native): appId."
    assert stored(tenant, connector_id) == {"appId": "2021000000000001", "privateKey": PEM, "signType": "RSA2"}
    assert run("update", connector_id, "--app-id", "2021000000000001")[0] == "Nothing to change."
    assert run_json("update", connector_id, "--sync-profile") == {"id": connector_id, "changed": ["syncProfile"]}
    assert tenant.sign_in_experience.connector_instances[connector_id].sync_profile


def test_update_corrects_key_stored_on_one_line(tenant: Tenant, key_file: str) -> None:
    """The Console stores such a key if line breaks are replaced as its guide says. Logto cannot sign with it."""
    connector_id = add_alipay("alipay-native", key_file)
    assert run("show", connector_id)[1] == ""
    stored(tenant, connector_id)["privateKey"] = PEM.replace("\n", "\\n")
    assert run("show", connector_id)[1] == f"`update {connector_id}` would correct privateKey."
    assert run_json("update", "alipay-native")["changed"] == ["privateKey"]
    assert stored(tenant, connector_id)["privateKey"] == PEM


def test_unknown_key_is_reported_and_can_be_removed(tenant: Tenant, key_file: str) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    stored(tenant, connector_id)["charset"] = "gbk"
    _, warning = run("show", "alipay-native")
    assert warning == f"Not in the form: charset. `update {connector_id} --unset KEY` removes a key."
    assert run_json("update", connector_id, "--unset", "charset")["changed"] == ["charset"]
    assert "charset" not in stored(tenant, connector_id)
    assert error_of("update", connector_id, "--unset", "charset").startswith("charset: not in the config")


def test_remove_asks_and_names_the_consequences(tenant: Tenant, key_file: str, set_stdin: Any) -> None:
    native, web = (add_alipay(factory, key_file) for factory in ("alipay-native", "alipay-web"))
    run("enable", "alipay")
    set_stdin("n\n")
    assert error_of("remove", native).startswith("Aborted, nothing was changed.")
    set_stdin("y\n")
    out, asked = run("remove", native)
    assert out == f"Removed {native} (alipay-native)."
    assert asked == f"This deletes a connector with its config: {native} (alipay-native).\nContinue? [y/N]"
    set_stdin("")
    assert "Use --yes in non-interactive runs." in error_of("remove", web)
    assert targets(tenant) == ["alipay"]
    _, warned = run("remove", web, "--yes")
    assert warned.splitlines()[1:] == ["Users will no longer be able to sign in with alipay."]
    assert (targets(tenant), run_json("list")) == ([], [])
    assert error_of("remove", web) == f"No connector has the id or the factory '{web}'. Existing: none."


# Offering


def test_enable_appends_target_and_disable_removes_it(tenant: Tenant, key_file: str) -> None:
    add_alipay("alipay-web", key_file)
    tenant.sign_in_experience.connectors = ["alipay-web", "oidc", "oauth2"]
    tenant.sign_in_experience.targets = ["oauth2", "oidc"]
    assert run_json("enable", "alipay-web") == {"targets": ["oauth2", "oidc", "alipay"], "changed": [TARGETS]}
    assert run("enable", "alipay")[0] == "alipay is offered already. Nothing to change.\nOffered: oauth2, oidc, alipay."
    assert run_json("enable", "alipay")["changed"] == []
    assert run("disable", "oidc")[0] == "Offered: oauth2, alipay."
    assert run("disable", "oidc")[0] == "oidc was not offered. Nothing to change.\nOffered: oauth2, alipay."
    assert targets(tenant) == ["oauth2", "alipay"]


def test_target_without_connector_is_refused(tenant: Tenant) -> None:
    assert error_of("enable", "alipay") == (
        "No social connector has the target, id or factory 'alipay'. Existing targets: none. Add a connector first."
    )
    tenant.sign_in_experience.connectors = ["alipay-web", "oidc"]
    assert error_of("enable", "github").endswith("Existing targets: alipay, oidc.")
    assert "No social connector" in error_of("disable", "github")


def test_target_that_logto_removes_is_an_error(tenant: Tenant) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    tenant.sign_in_experience.targets = ["gone"]
    assert error_of("enable", "alipay") == (
        "Logto removed gone because no connector has this target. "
        "Offered: alipay. Add the connector and enable it again."
    )


def test_list_shows_where_connectors_are_offered(tenant: Tenant) -> None:
    assert run("list")[0] == "No connectors. `factories` lists what can be added."
    tenant.sign_in_experience.connectors = ["alipay-native", "alipay-web", "oidc"]
    tenant.sign_in_experience.targets = ["alipay"]
    assert run("list")[0].splitlines() == [
        "ID            FACTORY        NAME            TYPE    TARGET  OFFERED",
        "alipaynative  alipay-native  Alipay          Social  alipay  in apps",
        "alipayweb000  alipay-web     Alipay          Social  alipay  in browsers",
        "oidc00000000  oidc           OpenID Connect  Social  oidc",
    ]


def test_social_only_asks_and_names_removed_methods(tenant: Tenant, set_stdin: Any) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    tenant.sign_in_experience.targets = []
    set_stdin("\n")
    assert error_of("enable", "alipay", "--social-only").startswith("Aborted, nothing was changed.")
    assert tenant.sign_in_experience.takes_passwords
    set_stdin("yes\n")
    _, asked = run("enable", "alipay", "--social-only")
    assert asked.splitlines() == [
        "Users will no longer be able to sign in by username with a password.",
        "Users will no longer be able to sign up with username.",
        "Remaining: alipay.",
        "Continue? [y/N]",
    ]
    assert {name: tenant.sign_in_experience.settings[name] for name in SOCIAL_ONLY} == SOCIAL_ONLY
    # The second time, nothing changes and nothing is asked.
    assert run("enable", "alipay", "--social-only")[0].startswith("alipay is offered already. Nothing to change.")


def test_no_sign_up_identifier_keeps_sign_in_methods_and_is_restored(
    tenant: Tenant, set_stdin: Any, tmp_path: Path
) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    before = {name: tenant.sign_in_experience.settings[name] for name in SOCIAL_ONLY}
    set_stdin("y\n")
    out, asked = run("enable", "alipay", "--no-sign-up-identifier")
    assert asked.splitlines() == ["Users will no longer be able to sign up with username.", "Continue? [y/N]"]
    settings = tenant.sign_in_experience.settings
    assert settings["signUp"] == {"identifiers": [], "password": False, "verify": False}
    assert settings["signIn"] == before["signIn"]
    undo = out.splitlines()[-1].removeprefix("To undo: manage.py logto_connectors ")
    set_stdin("n\n")
    assert error_of(*shlex.split(undo)).startswith("Aborted, nothing was changed.")
    assert run(*shlex.split(undo), "--yes")[0].splitlines()[0] == "Offered: alipay."
    assert {name: settings[name] for name in SOCIAL_ONLY} == before
    assert run(*shlex.split(undo))[0].startswith("The sign-in experience is as given. Nothing to change.")
    # The output for scripts is accepted, too.
    file = tmp_path / "before.json"
    file.write_text(run("enable", "alipay", "--social-only", "--yes", "--json")[0])
    assert not tenant.sign_in_experience.takes_passwords
    assert run_json("restore", f"@{file}", "--yes")["changed"] == ["signUp", "signIn"]
    assert {name: settings[name] for name in SOCIAL_ONLY} == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"signUp": 1}', '{"branding": {}}', '{"before": {}}'])
def test_text_without_previous_methods_is_refused(tenant: Tenant, text: str) -> None:
    assert error_of("restore", text).startswith('Expected JSON such as {"signUp": {...}, "signIn": {...}}')


def test_social_only_with_native_connector_warns_about_browsers(tenant: Tenant) -> None:
    tenant.sign_in_experience.connectors = ["alipay-native"]
    _, warned = run("enable", "alipay", "--social-only", "--yes")
    assert "Browsers show none of these. Users will not be able to sign in to a website." in warned


def test_disabling_last_method_asks_first(tenant: Tenant, set_stdin: Any) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    run("enable", "alipay", "--social-only", "--yes")
    set_stdin("")
    assert error_of("disable", "alipay").startswith("Aborted, nothing was changed.")
    _, warned = run("disable", "alipay", "--yes")
    assert warned == "This is the last sign-in method. Users will no longer be able to sign in."
    assert targets(tenant) == []


# Show


def test_show_hides_secrets_and_prints_public_key(tenant: Tenant, key_file: str, settings: Any) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    assert run("show", connector_id)[0].splitlines() == [
        f"id: {connector_id}",
        "factory: alipay-native",
        "name: Alipay",
        "type: Social",
        "target: alipay",
        "offered:",
        f"callback_uri: {settings.LOGTO_ENDPOINT}/callback/{connector_id}",
        "sync_profile: false",
        f"public_key: {alipay.read_private_key(PEM).public_key}",
        "config:",
        f"  appId: {APP_ID}",
        "  signType: RSA2",
        "  privateKey: (hidden)",
    ]


def test_show_warns_about_invalid_config(tenant: Tenant) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    assert run_json("show", "alipay-web")["public_key"] == ""
    _, warning = run("show", "alipay-web")
    assert warning.splitlines() == [
        "The config is invalid.",
        'privateKey: is required, and has no default. Expected "Private Key", such as "<private-key>".',
    ]
    stored(tenant, "alipayweb000")["privateKey"] = PEM[:900]
    assert run("show", "alipay-web")[1].splitlines()[1].startswith("privateKey: contains no private key.")


def test_factories_lists_factories_or_one_form(tenant: Tenant) -> None:
    assert run("factories")[0].splitlines()[:3] == [
        "FACTORY                        NAME                TYPE    TARGET       PLATFORM",
        "alipay-native                  Alipay              Social  alipay       Native",
        "alipay-web                     Alipay              Social  alipay       Web",
    ]
    assert run("factories", "alipay-web")[0].splitlines() == [
        "KEY         TYPE           REQUIRED  DEFAULT  CHOICES",
        "appId       Text           yes",
        "privateKey  MultilineText  yes",
        "signType    Select                   RSA2     RSA, RSA2",
        "charset     Select                   utf8     gbk, utf8",
        "scope       Text",
    ]
    assert [item["key"] for item in run_json("factories", "alipay-web")["form"]][:2] == ["appId", "privateKey"]


def test_long_values_of_a_form_are_shortened(tenant: Tenant) -> None:
    out, _ = run("factories", "simple-mail-transfer-protocol")
    assert max(map(len, out.splitlines())) < 160
    templates = next(
        item for item in run_json("factories", "simple-mail-transfer-protocol")["form"] if item["key"] == "templates"
    )
    assert len(templates["defaultValue"]) == 4
    add_smtp("--set", f"templates={json.dumps([{**each, 'content': 'x' * 900} for each in templates['defaultValue']])}")
    shown, _ = run("show", "simple-mail-transfer-protocol")
    assert max(map(len, shown.splitlines())) < 520
    assert shown.count('\n    - {"') == 4


# Factories without a form


def test_factory_without_form_shows_example_of_config(tenant: Tenant) -> None:
    assert run("factories", "mock-social-connector")[0].splitlines() == [
        "This factory has no form. --set accepts any key, and Logto checks the config.",
        "Example of a config:",
        "{",
        '  "clientId": "<client-id>",',
        '  "clientSecret": "<client-secret>"',
        "}",
    ]
    data = run_json("factories", "mock-social-connector")
    assert (data["form"], json.loads(data["config_template"])["clientId"]) == ([], "<client-id>")


def test_connector_without_form_is_added_shown_and_updated(tenant: Tenant) -> None:
    assert (
        error_of("add", "mock-social-connector", "--set", "clientId=1").splitlines()[0] == "Logto rejects the config."
    )
    values = ("clientId=1", "clientSecret=s3", 'extra={"a": 1}')
    added = run_json("add", "mock-social-connector", *(f"--set={each}" for each in values))["id"]
    assert stored(tenant, added) == {"clientId": "1", "clientSecret": "s3", "extra": {"a": 1}}
    out, warning = run("show", added)
    assert out.splitlines()[-5:] == ["config:", "  extra:", "    a: 1", "  clientId: 1", "  clientSecret: (hidden)"]
    assert warning == ""
    assert run_json("update", added, "--set", "clientId=2", "--unset", "extra")["changed"] == ["extra", "clientId"]
    assert stored(tenant, added) == {"clientId": "2", "clientSecret": "s3"}
    assert run_json("list")[0]["factory"] == "mock-social-connector"
    run("remove", added, "--yes")


# E-mail and SMS


def add_smtp(*more: str) -> str:
    values = [
        "host=mail.shop.example",
        "port=587",
        'auth={"user": "shop", "pass": "s3"}',
        "fromEmail=shop@shop.example",
    ]
    return run_json("add", "simple-mail-transfer-protocol", *(f"--set={each}" for each in values), *more)["id"]


def test_email_connector_sends_test_message_with_stored_config(tenant: Tenant) -> None:
    connector_id = add_smtp()
    assert (stored(tenant, connector_id)["port"], stored(tenant, connector_id)["secure"]) == (587, False)
    assert run("test", connector_id, "ada@example.com")[0] == "Logto has sent a message to ada@example.com."
    assert [each.to for each in tenant.sent_messages] == ["ada@example.com"]
    assert run_json("show", connector_id)["config"]["auth"] == {"user": "shop", "pass": "(hidden)"}
    assert run_json("update", connector_id)["changed"] == []
    assert "guard.invalid_input" in error_of("test", connector_id, "ada")


def test_phone_number_is_sent_as_digits(tenant: Tenant) -> None:
    values = ["accountSID=AC1", "authToken=token", "fromMessagingServiceSID=MG1"]
    run("add", "twilio-short-message-service", *(f"--set={each}" for each in values))
    run("test", "twilio-short-message-service", "+1 (555) 010-0199")
    assert [each.to for each in tenant.sent_messages] == ["15550100199"]
    assert run_json("show", "twilio-short-message-service")["config"]["authToken"] == "(hidden)"


def test_second_email_connector_asks_first(tenant: Tenant, set_stdin: Any) -> None:
    first = add_smtp()
    set_stdin("n\n")
    with pytest.raises(CommandError, match=r"^Aborted, nothing was changed\."):
        add_smtp()
    second = add_smtp("--yes")
    assert [each["id"] for each in run_json("list")] == [second] != [first]


def test_social_connector_cannot_be_tested(tenant: Tenant, key_file: str) -> None:
    add_alipay("alipay-web", key_file)
    assert error_of("test", "alipay-web", "ada@example.com").endswith("sign in with it.")


def test_config_errors_of_logto_have_a_line_each(tenant: Tenant, key_file: str) -> None:
    connector_id = add_smtp()
    templates = '[{"usageType": "SignIn", "content": "{{code}}"}]'
    assert error_of("update", connector_id, "--set", f"templates={templates}").splitlines() == [
        "Logto rejects the config.",
        "templates: Template with UsageType (Register, ForgotPassword, Generic) should be provided!",
    ]


# Alipay's keys


def test_key_files_are_never_overwritten(tenant: Tenant, tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.txt"
    out, _ = run("alipay-keys", "--out", str(private), "--public-out", str(public))
    assert out.splitlines() == [
        f"Private key: {private}. Keep it secret, and do not commit it.",
        "Public key for Alipay's console:",
        public.read_text(),
    ]
    before = private.read_text()
    assert error_of("alipay-keys", "--out", str(private)) == (
        f"{private} exists already and is not overwritten. Choose another file."
    )
    assert private.read_text() == before
    assert run_json("alipay-keys", "--private-key-file", str(private))["public_key"] == public.read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_key_file_is_read_in_any_windows_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "private.pem"
    file.write_text(PEM.replace("\n", "\r\n"), encoding=encoding)
    assert (
        run_json("alipay-keys", "--private-key-file", str(file))["public_key"]
        == alipay.read_private_key(PEM).public_key
    )


def test_file_without_private_key_is_named(tmp_path: Path) -> None:
    der, large, public = tmp_path / "key.der", tmp_path / "large", tmp_path / "public.pem"
    der.write_bytes(KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    large.write_bytes(b" " * (1024 * 1024 + 1))
    public.write_text(alipay.read_private_key(PEM).public_key)
    missing = tmp_path / "missing"
    for path, words in (
        (der, " is not a text file. `openssl pkey"),
        (large, " has more than 1048576 bytes"),
        (missing, " cannot be read: No such file or directory."),
        (tmp_path, " cannot be read: Is a directory."),
        (public, ": this is a public key"),
    ):
        assert error_of("alipay-keys", "--private-key-file", str(path)).startswith(f"{path}{words}")


# Missing requirements


def test_missing_settings_are_named_with_instructions(logto: Emulator) -> None:
    message = error_of("list")
    assert message.startswith("LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET must be set.")
    assert "Machine-to-machine" in message
    assert '"Logto Management API access"' in message


def test_machine_without_role_gets_error_that_names_it(tenant: Tenant, settings: Any) -> None:
    tenant.applications[settings.LOGTO_M2M_APP_ID].roles = []
    assert '"Logto Management API access"' in error_of("list")


def test_failing_logto_is_a_command_error(logto: Emulator, tenant: Tenant) -> None:
    logto.faults.http["discovery"] = HttpFault(status=500)
    assert error_of("list")


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("add",), ("add", "alipay-web", "--nonsense")])
def test_invalid_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.parametrize("assignment", ["appId", "=1", ""])
def test_set_needs_key_and_value(tenant: Tenant, assignment: str) -> None:
    assert error_of("add", "alipay-web", "--set", assignment) == "--set: expected KEY=VALUE, KEY=@FILE or KEY=@-."


# The guide

GUIDE = Path(__file__).parents[2] / "docs/how-to/alipay.md"
CONSOLE_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ python manage\.py (?P<command>.*)\n(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE)
# What differs between runs.
VARIABLE = {r"https://abc123\.logto\.app|http://localhost:\d+": "LOGTO", r"\b[a-z0-9]{12}\b": "ID", r"MIIB\S+": "KEY"}


def normalized(text: str) -> str:
    for pattern, word in VARIABLE.items():
        text = re.sub(pattern, word, text)
    return text


def test_guide_shows_the_output_of_its_commands(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_stdin: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = CONSOLE_BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    shown = [match for block in blocks for match in COMMAND.finditer(block)]
    assert len(shown) == 8
    for match in shown:
        out = io.StringIO()
        set_stdin("y\n")
        call_command(*shlex.split(match["command"]), stdout=out, stderr=out)
        # The answer of the user is not in the output.
        printed = out.getvalue().replace("Continue? [y/N] \n", "Continue? [y/N] y\n")
        assert normalized(printed) == normalized(match["printed"]), match["command"]
    assert tenant.sign_in_experience.settings["signIn"] == {"methods": []}
