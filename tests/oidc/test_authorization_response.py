"""Each rule of the authorization response, once. `tests/sign_in` shows that the callback view applies them."""

from __future__ import annotations

import pytest

from logto_auth.oidc.authorization_response import AuthorizationResponse
from logto_auth.oidc.errors import CallbackError, ProviderError

ISSUER = "https://logto.example/oidc"
PARAMETERS = ("code", "state", "iss", "error", "error_description")


def response(**parameters: str) -> AuthorizationResponse:
    return AuthorizationResponse.from_parameters({name: [value] for name, value in parameters.items()})


# Parameters


def test_parameters_are_read_by_name() -> None:
    read = response(code="c", state="s", iss=ISSUER, next="/ignored")
    assert (read.code, read.state, read.iss, read.error, read.error_description) == ("c", "s", ISSUER, None, None)


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("values", [["a", "b"], ["a", "a"], ["a", ""]], ids=["different", "same", "empty"])
def test_repeated_parameter_is_refused(name: str, values: list[str]) -> None:
    with pytest.raises(CallbackError, match=f"parameter {name} more than once") as caught:
        AuthorizationResponse.from_parameters({name: values})
    assert (caught.value.code, caught.value.status) == ("callback_invalid", 400)


def test_repeated_unknown_parameter_is_ignored() -> None:
    assert AuthorizationResponse.from_parameters({"utm": ["a", "b"], "code": ["c"]}).code == "c"


def test_response_without_parameters_is_empty() -> None:
    assert response().is_empty
    assert response(code="", state="").is_empty
    assert response(utm="x").is_empty


@pytest.mark.parametrize("name", PARAMETERS)
def test_response_with_a_parameter_is_not_empty(name: str) -> None:
    assert not response(**{name: "x"}).is_empty


def test_repr_hides_code_and_state() -> None:
    assert "SECRET" not in repr(response(code="SECRET-1", state="SECRET-2"))


# Issuer


def test_issuer_of_the_provider_is_accepted() -> None:
    response(iss=ISSUER).check_issuer(ISSUER)


@pytest.mark.parametrize(
    "iss",
    ["", "https://evil.example/oidc", ISSUER + "/", ISSUER.upper(), ISSUER[:-1], " " + ISSUER],
    ids=["empty", "other", "slash", "upper-case", "prefix", "space"],
)
def test_other_issuer_is_refused(iss: str) -> None:
    with pytest.raises(CallbackError) as caught:
        response(iss=iss).check_issuer(ISSUER)
    assert (caught.value.code, caught.value.status) == ("issuer_mismatch", 400)


def test_missing_issuer_is_refused() -> None:
    with pytest.raises(CallbackError, match="names issuer none") as caught:
        response().check_issuer(ISSUER)
    assert caught.value.code == "issuer_mismatch"


# Code


@pytest.mark.parametrize("code", ["x", "x" * 2048, "a b~!"], ids=["short", "longest", "printable"])
def test_printable_code_is_returned(code: str) -> None:
    assert response(code=code).authorization_code() == code


@pytest.mark.parametrize(
    "code",
    ["", "x" * 2049, "a\nb", "a\x00b", "é", "\u2028"],
    ids=["empty", "too-long", "newline", "nul", "not-ascii", "separator"],
)
def test_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(CallbackError) as caught:
        response(code=code).authorization_code()
    assert (caught.value.code, caught.value.status) == ("callback_invalid", 400)
    assert f"a code of {len(code)} characters" in str(caught.value)


def test_missing_code_is_refused() -> None:
    with pytest.raises(CallbackError, match="a code of 0 characters"):
        response(state="s").authorization_code()


# Errors


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ("access_denied", "access_denied", 403),
        ("oidc.aborted", "access_denied", 403),
        ("login_required", "login_required", 401),
        ("consent_required", "interaction_required", 401),
        ("interaction_required", "interaction_required", 401),
        ("account_selection_required", "interaction_required", 401),
        ("server_error", "provider_error", 502),
        ("temporarily_unavailable", "provider_error", 502),
        ("invalid_scope", "authorization_failed", 503),
        ("ACCESS_DENIED", "authorization_failed", 400),
        ("", "authorization_failed", 400),
    ],
    ids=lambda value: str(value) or "empty",
)
def test_error_is_mapped_to_code_and_status(error: str, code: str, status: int) -> None:
    with pytest.raises(ProviderError) as caught:
        response(error=error, error_description="Because.").authorization_code()
    raised = caught.value
    assert (raised.code, raised.status, raised.error, raised.error_description) == (code, status, error, "Because.")


def test_error_takes_precedence_over_a_code() -> None:
    with pytest.raises(ProviderError):
        response(code="c", error="access_denied").authorization_code()


def test_error_text_becomes_one_short_line() -> None:
    with pytest.raises(ProviderError) as caught:
        response(error="a\r\nb\x1b[0m", error_description="x" * 5000).authorization_code()
    assert caught.value.error == "a b [0m"
    assert len(caught.value.error_description) == 200
    assert str(caught.value).isprintable()
