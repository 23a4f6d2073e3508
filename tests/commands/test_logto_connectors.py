"""`manage.py logto_connectors` against the emulator's Management API."""

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
from logto_auth.connectors.sign_in_page import SOCIAL_ONLY, TARGETS, enabling, shown_to_browsers
from logto_auth.emulator import Emulator, HttpFault, Tenant
from logto_auth.testing import Browser
from tests.recorded import recording

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
# The first lines are the modulus, which is public.
SECRET_LINE = PEM.splitlines()[-4]
APP_ID = "2021000000000000"


@pytest.fixture
def tenant(logto: Emulator, settings: Any) -> Tenant:
    """The tenant of a site with a machine-to-machine application."""
    machine = logto.tenant.add_application(
        name="Scripts", type="MachineToMachine", roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return logto.tenant


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """A private key as in an environment file: on one line."""
    file = tmp_path / "private.pem"
    file.write_text(PEM.replace("\n", "\\n"))
    return str(file)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put text on the standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def run(*arguments: str) -> tuple[str, str]:
    """What the command prints, and what it notes on stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("logto_connectors", *arguments, stdout=out, stderr=err)
    assert SECRET_LINE not in out.getvalue() + err.getvalue()
    return out.getvalue().strip(), err.getvalue().strip()


def data(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json")[0])


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    assert SECRET_LINE not in str(caught.value)
    return str(caught.value)


def add_alipay(factory: str, key_file: str, *more: str) -> str:
    """The id of a new connector."""
    return data("add", factory, "--app-id", APP_ID, "--private-key-file", key_file, *more)["id"]


def stored(tenant: Tenant, connector_id: str) -> dict[str, Any]:
    return tenant.sign_in_experience.connector_instances[connector_id].config


def targets(tenant: Tenant) -> list[str]:
    return tenant.sign_in_experience.targets


# The whole way, as in the guide


@pytest.mark.django_db
def test_from_a_key_pair_to_a_person_who_signs_in(
    tenant: Tenant, browser: Browser, tmp_path: Path, settings: Any
) -> None:
    private = tmp_path / "private.pem"
    public_key = data("alipay-keys", "--out", str(private))["public_key"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    told, _ = run("add", "alipay-web", "--app-id", APP_ID, "--private-key-file", str(private), "--sign-type", "RSA2")
    (connector,) = data("list")
    assert told.splitlines() == [
        f"Added {connector['id']} (alipay-web).",
        f"Callback address, to be registered at the provider: {settings.LOGTO_ENDPOINT}/callback/{connector['id']}",
        "To offer it: manage.py logto_connectors enable alipay",
    ]
    assert "Alipay" not in browser.logto.open(browser.start()).text
    assert run("enable", "alipay") == ("Offered: alipay.", "")
    assert data("show", "alipay-web")["public_key"] == public_key
    url = browser.start("/orders/", direct_sign_in="social:alipay")
    assert browser.open(browser.logto.sign_in_with_alipay(url, "2088000000000001")).url == "/orders/"


# Adding


def test_the_key_is_stored_with_real_line_breaks_and_the_rest_by_the_form(tenant: Tenant, key_file: str) -> None:
    native = add_alipay("alipay-native", key_file, "--sign-type", "RSA")
    assert stored(tenant, native) == {"appId": APP_ID, "privateKey": PEM, "signType": "RSA"}
    # Without a stored charset, alipay-web cannot sign.
    web = add_alipay("alipay-web", key_file)
    assert stored(tenant, web) == {"appId": APP_ID, "privateKey": PEM, "signType": "RSA2", "charset": "utf8"}


def test_the_key_may_come_from_standard_input(tenant: Tenant, say: Any) -> None:
    say(PEM)
    assert stored(tenant, add_alipay("alipay-native", "-"))["privateKey"] == PEM
    say(PEM)
    data("add", "alipay-web", "--set", f"appId={APP_ID}", "--set", "privateKey=@-")


def test_a_native_connector_comes_with_a_word_about_browsers(tenant: Tenant, key_file: str) -> None:
    _, note = run("add", "alipay-native", "--app-id", APP_ID, "--private-key-file", key_file)
    assert note == (
        "Browsers never show a native connector, only apps with Logto's SDK do. "
        "For the website, add alipay-web: it has the same target, so people are the same users either way."
    )
    assert run("enable", "alipay")[1] == note
    _, note = run("add", "alipay-web", "--app-id", APP_ID, "--private-key-file", key_file)
    assert note == ""
    assert run("enable", "alipay")[1] == ""


def test_a_second_one_is_refused_with_the_way_to_change_the_first(tenant: Tenant, key_file: str) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    assert refusal("add", "alipay-native", "--app-id", APP_ID, "--private-key-file", key_file) == (
        "There is one already, and Logto keeps one of each. "
        f"To change it: manage.py logto_connectors update {connector_id}"
    )
    assert recording("alipay_native_created_twice")["body"]["code"] == "connector.multiple_instances_not_supported"


def test_nothing_is_sent_before_all_faults_are_mended(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_text("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n")
    message = refusal("add", "alipay-native", "--app-id", "2" * 17, "--private-key-file", str(tmp_path / "public.pem"))
    assert [line.partition(".")[0] for line in message.splitlines()] == [
        "appId: 17 characters are too many",
        "privateKey: this is a public key, which is for Alipay's console",
    ]
    assert refusal("add", "alipay-native", "--set", "charset=gbk", "--sign-type", "RSA3").splitlines() == [
        "signType: this does not fit. Expected one of RSA, RSA2.",
        "charset: the form has no such key. It has appId, privateKey, signType.",
        'appId: is required, and has no default. Expected "App ID", such as "<app-id-with-maximum-length-16>".',
        'privateKey: is required, and has no default. Expected "Private Key", such as "<private-key>".',
    ]
    assert not tenant.sign_in_experience.connector_instances


def test_a_factory_that_there_is_not_is_refused_with_those_like_it(tenant: Tenant) -> None:
    assert refusal("add", "alipay") == "Logto has no factory 'alipay'. It has: alipay-web, alipay-native."
    assert "oidc, simple-mail" in refusal("factories", "zzz")


def test_a_connector_for_any_provider_needs_a_target(tenant: Tenant) -> None:
    values = ["clientId=shop", "clientSecret=s3", "authorizationEndpoint=https://a", "tokenEndpoint=https://t"]
    config = [f"--set={value}" for value in values]
    assert "Say which: --target" in refusal("add", "oidc", *config)
    added = data("add", "oidc", "--target", "idp", "--name", "Our IdP", "--sync-profile", *config)
    shown = data("show", added["id"])
    assert (shown["target"], shown["name"], shown["sync_profile"]) == ("idp", "Our IdP", True)
    assert shown["config"]["clientSecret"] == "(hidden)"
    assert refusal("add", "oidc", "--target", "idp", *config).endswith(f"update {added['id']}")
    data("add", "oidc", "--target", "other", *config)
    assert refusal("show", "oidc").startswith("Several connectors are made of oidc: ")
    assert data("update", added["id"], "--name", "The IdP")["changed"] == ["metadata"]
    assert data("show", added["id"])["name"] == "The IdP"
    assert tenant.sign_in_experience.connector_instances[added["id"]].target == "idp"
    assert "leave out --name" in refusal("add", "alipay-web", "--name", "Alipay")


# Changing


def test_an_update_keeps_what_is_not_given(tenant: Tenant, key_file: str) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    told, _ = run("update", "alipay-native", "--app-id", "2021000000000001")
    assert told == f"Changed in {connector_id} (alipay-native): appId."
    assert stored(tenant, connector_id) == {"appId": "2021000000000001", "privateKey": PEM, "signType": "RSA2"}
    assert run("update", connector_id, "--app-id", "2021000000000001")[0] == "Nothing to change."
    assert data("update", connector_id, "--sync-profile") == {"id": connector_id, "changed": ["syncProfile"]}
    assert tenant.sign_in_experience.connector_instances[connector_id].sync_profile


def test_an_update_mends_a_key_that_was_stored_on_one_line(tenant: Tenant, key_file: str) -> None:
    """As the Console stores it when line breaks are replaced as its guide says: Logto cannot sign with that."""
    connector_id = add_alipay("alipay-native", key_file)
    assert run("show", connector_id)[1] == ""
    stored(tenant, connector_id)["privateKey"] = PEM.replace("\n", "\\n")
    assert run("show", connector_id)[1] == f"`update {connector_id}` would correct privateKey."
    assert data("update", "alipay-native")["changed"] == ["privateKey"]
    assert stored(tenant, connector_id)["privateKey"] == PEM


def test_a_key_that_the_form_does_not_have_is_pointed_out_and_can_be_removed(tenant: Tenant, key_file: str) -> None:
    connector_id = add_alipay("alipay-native", key_file)
    stored(tenant, connector_id)["charset"] = "gbk"
    _, note = run("show", "alipay-native")
    assert note == f"Not in the form: charset. `update {connector_id} --unset KEY` removes a key."
    assert data("update", connector_id, "--unset", "charset")["changed"] == ["charset"]
    assert "charset" not in stored(tenant, connector_id)
    assert refusal("update", connector_id, "--unset", "charset").startswith("charset: not in the config")


def test_removing_asks_and_says_what_is_lost(tenant: Tenant, key_file: str, say: Any) -> None:
    native, web = (add_alipay(factory, key_file) for factory in ("alipay-native", "alipay-web"))
    run("enable", "alipay")
    say("n\n")
    assert refusal("remove", native).startswith("Nothing was changed.")
    say("y\n")
    told, asked = run("remove", native)
    assert told == f"Removed {native} (alipay-native)."
    assert asked == f"To be deleted, with its config: {native} (alipay-native).\nGo on? [y/N]"
    say("")
    assert "--yes says that it is meant" in refusal("remove", web)
    assert targets(tenant) == ["alipay"]
    told, warned = run("remove", web, "--yes")
    assert warned.splitlines()[1:] == ["Nobody will be able to sign in with alipay."]
    assert (targets(tenant), data("list")) == ([], [])
    assert refusal("remove", web) == f"No connector has the id '{web}', or is made of that. There are: none."


# Offering


def test_targets_are_added_at_the_end_and_removed_from_where_they_are(tenant: Tenant, key_file: str) -> None:
    add_alipay("alipay-web", key_file)
    tenant.sign_in_experience.connectors = ["alipay-web", "oidc", "oauth2"]
    tenant.sign_in_experience.targets = ["oauth2", "oidc"]
    assert data("enable", "alipay-web") == {"targets": ["oauth2", "oidc", "alipay"], "changed": [TARGETS]}
    assert run("enable", "alipay")[0] == "alipay is offered already. Nothing to change.\nOffered: oauth2, oidc, alipay."
    assert data("enable", "alipay")["changed"] == []
    assert run("disable", "oidc")[0] == "Offered: oauth2, alipay."
    assert run("disable", "oidc")[0] == "oidc was not offered. Nothing to change.\nOffered: oauth2, alipay."
    assert targets(tenant) == ["oauth2", "alipay"]


def test_a_target_without_a_connector_is_refused_here_for_logto_would_drop_it_silently(tenant: Tenant) -> None:
    assert refusal("enable", "alipay") == (
        "No social connector has the target or the id 'alipay'. Targets here: none; add one first."
    )
    tenant.sign_in_experience.connectors = ["alipay-web", "oidc"]
    assert refusal("enable", "github").endswith("Targets here: alipay, oidc.")
    assert "No social connector" in refusal("disable", "github")


def test_a_target_that_vanishes_meanwhile_is_told(tenant: Tenant) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    tenant.sign_in_experience.targets = ["gone"]
    assert refusal("enable", "alipay") == (
        "Logto has dropped gone: no connector has such a target any more. Offered now: alipay."
    )


def test_the_list_says_where_each_is_offered(tenant: Tenant) -> None:
    assert run("list")[0] == "No connectors. `factories` lists what they can be made of."
    tenant.sign_in_experience.connectors = ["alipay-native", "alipay-web", "oidc"]
    tenant.sign_in_experience.targets = ["alipay"]
    assert run("list")[0].splitlines() == [
        "ID            FACTORY        NAME            TYPE    TARGET  OFFERED",
        "alipaynative  alipay-native  Alipay          Social  alipay  in apps",
        "alipayweb000  alipay-web     Alipay          Social  alipay  in browsers",
        "oidc00000000  oidc           OpenID Connect  Social  oidc",
    ]


def test_social_only_asks_first_and_says_what_nobody_can_do_any_more(tenant: Tenant, say: Any) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    tenant.sign_in_experience.targets = []
    say("\n")
    assert refusal("enable", "alipay", "--social-only").startswith("Nothing was changed.")
    assert tenant.sign_in_experience.takes_passwords
    say("yes\n")
    _, asked = run("enable", "alipay", "--social-only")
    assert asked.splitlines() == [
        "Nobody will be able to sign in by username with a password.",
        "Nobody will be able to sign up with username.",
        "What is left: alipay.",
        "Go on? [y/N]",
    ]
    assert {name: tenant.sign_in_experience.settings[name] for name in SOCIAL_ONLY} == SOCIAL_ONLY
    # A second time there is nothing to ask.
    assert run("enable", "alipay", "--social-only")[0].startswith("alipay is offered already. Nothing to change.")


def test_social_only_by_a_native_connector_leaves_browsers_nothing(tenant: Tenant) -> None:
    tenant.sign_in_experience.connectors = ["alipay-native"]
    _, warned = run("enable", "alipay", "--social-only", "--yes")
    assert "Browsers show none of it: on a website nobody will be able to sign in." in warned


def test_the_last_way_in_is_not_taken_away_unasked(tenant: Tenant, say: Any) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    run("enable", "alipay", "--social-only", "--yes")
    say("")
    assert refusal("disable", "alipay").startswith("Nothing was changed.")
    _, warned = run("disable", "alipay", "--yes")
    assert warned == "There is no other way in: nobody will be able to sign in at all."
    assert targets(tenant) == []


def test_the_changes_are_those_of_the_recorded_requests() -> None:
    fresh = {**recording("sign_in_exp_patch")["body"], TARGETS: []}
    for name, social_only in (("sign_in_exp_patch", False), ("sign_in_exp_patch_social_only", True)):
        assert enabling(fresh, "alipay", social_only=social_only) == json.loads(recording(name)["request"]["body"])
    assert enabling(recording("sign_in_exp_patch_social_only")["body"], "alipay", social_only=True) == {}


def test_no_browser_is_shown_the_recorded_tenant() -> None:
    assert shown_to_browsers(recording("connectors_list")["body"], ["alipay"]) == []


# Looking


def test_secrets_are_hidden_and_the_public_key_is_not(tenant: Tenant, key_file: str, settings: Any) -> None:
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


def test_a_stored_config_that_cannot_work_is_pointed_out(tenant: Tenant) -> None:
    tenant.sign_in_experience.connectors = ["alipay-web"]
    assert data("show", "alipay-web")["public_key"] == ""
    _, note = run("show", "alipay-web")
    assert note.splitlines() == [
        "It cannot work like this.",
        'privateKey: is required, and has no default. Expected "Private Key", such as "<private-key>".',
    ]
    stored(tenant, "alipayweb000")["privateKey"] = PEM[:900]
    assert run("show", "alipay-web")[1].splitlines()[1].startswith("privateKey: there is no private key in it.")


def test_factories_and_what_one_asks_for(tenant: Tenant) -> None:
    assert run("factories")[0].splitlines()[:3] == [
        "FACTORY                        NAME                TYPE    TARGET      PLATFORM",
        "alipay-native                  Alipay              Social  alipay      Native",
        "alipay-web                     Alipay              Social  alipay      Web",
    ]
    assert run("factories", "alipay-web")[0].splitlines() == [
        "KEY         TYPE           REQUIRED  DEFAULT  CHOICES",
        "appId       Text           yes",
        "privateKey  MultilineText  yes",
        "signType    Select                   RSA2     RSA, RSA2",
        "charset     Select                   utf8     gbk, utf8",
        "scope       Text",
    ]
    assert [item["key"] for item in data("factories", "alipay-web")][:2] == ["appId", "privateKey"]


# E-mail and SMS


def add_smtp(*more: str) -> str:
    values = [
        "host=mail.shop.example",
        "port=587",
        'auth={"user": "shop", "pass": "s3"}',
        "fromEmail=shop@shop.example",
    ]
    return data("add", "simple-mail-transfer-protocol", *(f"--set={each}" for each in values), *more)["id"]


def test_a_connector_for_e_mail_is_tested_as_it_is_stored(tenant: Tenant) -> None:
    connector_id = add_smtp()
    assert (stored(tenant, connector_id)["port"], stored(tenant, connector_id)["secure"]) == (587, False)
    assert run("test", connector_id, "ada@example.com")[0] == "Logto has sent a message to ada@example.com."
    assert [each.to for each in tenant.sent_messages] == ["ada@example.com"]
    assert data("show", connector_id)["config"]["auth"] == {"user": "shop", "pass": "(hidden)"}
    assert data("update", connector_id)["changed"] == []
    assert "guard.invalid_input" in refusal("test", connector_id, "ada")


def test_a_telephone_number_may_be_written_as_people_do(tenant: Tenant) -> None:
    values = ["accountSID=AC1", "authToken=token", "fromMessagingServiceSID=MG1"]
    run("add", "twilio-short-message-service", *(f"--set={each}" for each in values))
    run("test", "twilio-short-message-service", "+1 (555) 010-0199")
    assert [each.to for each in tenant.sent_messages] == ["15550100199"]
    assert data("show", "twilio-short-message-service")["config"]["authToken"] == "(hidden)"


def test_a_second_connector_for_e_mail_is_not_added_unasked(tenant: Tenant, say: Any) -> None:
    first = add_smtp()
    say("n\n")
    with pytest.raises(CommandError, match=r"^Nothing was changed\."):
        add_smtp()
    second = add_smtp("--yes")
    assert [each["id"] for each in data("list")] == [second] != [first]


def test_social_connectors_are_tested_by_signing_in(tenant: Tenant, key_file: str) -> None:
    add_alipay("alipay-web", key_file)
    assert refusal("test", "alipay-web", "ada@example.com").endswith("Sign in with it.")


def test_what_logto_alone_finds_out_has_a_line_for_each_fault(tenant: Tenant, key_file: str) -> None:
    connector_id = add_smtp()
    templates = '[{"usageType": "SignIn", "content": "{{code}}"}]'
    assert refusal("update", connector_id, "--set", f"templates={templates}").splitlines() == [
        "Logto refuses the config.",
        "templates: Template with UsageType (Register, ForgotPassword, Generic) should be provided!",
    ]


# Alipay's keys


def test_keys_are_never_overwritten(tenant: Tenant, tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.txt"
    told, _ = run("alipay-keys", "--out", str(private), "--public-out", str(public))
    assert told.splitlines() == [
        f"Private key: {private}. Keep it secret, and out of the repository.",
        "Public key, as Alipay's console takes it:",
        public.read_text(),
    ]
    before = private.read_text()
    assert refusal("alipay-keys", "--out", str(private)) == (
        f"{private} is there already, and is not overwritten. Name another file."
    )
    assert private.read_text() == before
    assert data("alipay-keys", "--private-key-file", str(private))["public_key"] == public.read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_key_file_is_read_however_windows_saved_it(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "private.pem"
    file.write_text(PEM.replace("\n", "\r\n"), encoding=encoding)
    assert data("alipay-keys", "--private-key-file", str(file))["public_key"] == alipay.read_private_key(PEM).public_key


def test_files_that_hold_no_key_are_named(tmp_path: Path) -> None:
    der, large, public = tmp_path / "key.der", tmp_path / "large", tmp_path / "public.pem"
    der.write_bytes(KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    large.write_bytes(b" " * (1024 * 1024 + 1))
    public.write_text(alipay.read_private_key(PEM).public_key)
    missing = tmp_path / "missing"
    for path, words in (
        (der, " is not text. A key in DER becomes PEM by"),
        (large, " has more than 1048576 bytes"),
        (missing, " cannot be read: No such file or directory."),
        (tmp_path, " cannot be read: Is a directory."),
        (public, ": this is a public key"),
    ):
        assert refusal("alipay-keys", "--private-key-file", str(path)).startswith(f"{path}{words}")


# What may be missing


def test_without_a_machine_the_missing_settings_are_named_with_the_way_to_get_them(logto: Emulator) -> None:
    message = refusal("list")
    assert message.startswith("LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET must be set. Make an application")
    assert '"Logto Management API access"' in message


def test_a_machine_without_the_role_is_told_which(tenant: Tenant, settings: Any) -> None:
    tenant.applications[settings.LOGTO_M2M_APP_ID].roles = []
    assert '"Logto Management API access"' in refusal("list")


def test_logto_out_of_reach_is_an_error_and_not_a_traceback(logto: Emulator, tenant: Tenant) -> None:
    logto.faults.http["discovery"] = HttpFault(status=500)
    assert refusal("list")


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("add",), ("add", "alipay-web", "--nonsense")])
def test_arguments_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.parametrize("assignment", ["appId", "=1", ""])
def test_an_assignment_needs_a_key_and_a_value(tenant: Tenant, assignment: str) -> None:
    assert refusal("add", "alipay-web", "--set", assignment) == "--set takes KEY=VALUE, KEY=@FILE or KEY=@-."


# The guide

GUIDE = Path(__file__).parents[2] / "docs/how-to/alipay.md"
CONSOLE_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ python manage\.py (?P<command>.*)\n(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE)
# What differs from one run to the next.
OWN = {r"https://abc123\.logto\.app|http://localhost:\d+": "LOGTO", r"\b[a-z0-9]{12}\b": "ID", r"MIIB\S+": "KEY"}


def without_own(text: str) -> str:
    for pattern, word in OWN.items():
        text = re.sub(pattern, word, text)
    return text


def test_the_commands_of_the_guide_print_what_it_shows(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = CONSOLE_BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    shown = [match for block in blocks for match in COMMAND.finditer(block)]
    assert len(shown) == 7
    for match in shown:
        out = io.StringIO()
        say("y\n")
        call_command(*shlex.split(match["command"]), stdout=out, stderr=out)
        # Whoever answers a question ends its line.
        printed = out.getvalue().replace("Go on? [y/N] ", "Go on? [y/N] y\n")
        assert without_own(printed) == without_own(match["printed"]), match["command"]
    assert tenant.sign_in_experience.settings["signIn"] == {"methods": []}
