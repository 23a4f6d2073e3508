import pytest

from logto_auth.emulator.oidc.redirect_uris import form_encode, redirect_uri_allowed, with_parameters


@pytest.mark.parametrize(
    ("registered", "uri", "allowed"),
    [
        ("http://a.example", "http://a.example/", True),
        ("http://a.example/", "http://A.EXAMPLE:80", True),
        ("https://a.example/cb", "https://a.example:443/cb", True),
        ("https://a.example/cb", "https://a.example:444/cb", False),
        ("https://a.example/cb", "https://a.example/cb/", False),
        ("https://a.example/cb", "https://a.example/CB", False),
        ("https://a.example/cb", "https://a.example/x/../cb", True),
        ("https://a.example/cb?x=1", "https://a.example/cb?x=1", True),
        ("https://a.example/cb?x=1", "https://a.example/cb", False),
        ("https://a.example/cb", "https://user:pw@a.example/cb", False),
        ("https://a.example/cb", "https://a.example\\@evil.example/cb", False),
        ("https://a.example/cb", "https://a.example/cb\n", False),
        ("https://a.example/cb", "https://a.example:99999/cb", False),
        ("https://a.example/cb", "http:///cb", False),
        ("https://a.example/cb", "", False),
        ("io.logto.app://callback", "io.logto.app://callback", True),
        ("com.example:/cb", "com.example:/cb", True),
        ("com.example:/cb", "com.example://cb", False),
        # Wildcards
        ("https://*.shop.example/cb", "https://one.shop.example/cb", True),
        ("https://*.shop.example/cb", "https://one.two.shop.example/cb", False),
        ("https://*.shop.example/cb", "https://shop.example/cb", False),
        ("https://*.shop.example/cb", "https://.shop.example/cb", False),
        ("https://pr-*-web.shop.example/cb", "https://pr-7-web.shop.example/cb", True),
        ("https://*.shop.example/cb", "http://one.shop.example/cb", False),
        ("https://*.shop.example/cb", "https://one.shop.example:8443/cb", False),
        ("https://*.shop.example:8443/cb", "https://one.shop.example:8443/cb", True),
        ("https://*.shop.example/cb", "https://one.shop.example/cb?x=1", False),
        ("https://*.shop.example/cb", "https://evil.example/.shop.example/cb", False),
        ("https://*.shop.example/cb", "https://user@one.shop.example/cb", False),
        ("https://a.example/tenants/*/cb", "https://a.example/tenants/x/y/cb", True),
        ("https://a.example/tenants/*/cb", "https://a.example/tenants/cb", False),
        # These patterns never match.
        ("https://*.example/cb", "https://one.example/cb", False),
        ("https://shop.*/cb", "https://shop.example/cb", False),
        ("https://*/cb", "https://shop.example/cb", False),
        ("*://a.example/cb", "https://a.example/cb", False),
        ("https://a.example:*/cb", "https://a.example:1/cb", False),
        ("https://a.example/cb?x=*", "https://a.example/cb?x=1", False),
    ],
)
def test_redirect_uri_matches_registered_uri(registered, uri, allowed):
    assert redirect_uri_allowed(uri, [registered]) is allowed


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_only_native_applications_may_use_any_loopback_port(host):
    registered, uri = f"http://{host}/cb", f"http://{host}:49152/cb"
    assert redirect_uri_allowed(uri, [registered], native=True)
    assert not redirect_uri_allowed(uri, [registered])
    assert not redirect_uri_allowed(uri.replace("http:", "https:"), [registered], native=True)
    assert not redirect_uri_allowed(uri, ["http://a.example/cb"], native=True)


def test_parameters_are_form_url_encoded():
    assert form_encode([("a b", "c+d&e~f*")]) == "a+b=c%2Bd%26e%7Ef*"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://a.example", "http://a.example/?code=1"),
        ("http://a.example/?x=%20y", "http://a.example/?x=+y&code=1"),
        ("http://a.example/?code=0", "http://a.example/?code=1"),
        ("io.logto.app://callback", "io.logto.app://callback?code=1"),
    ],
)
def test_parameters_are_added_to_the_query(uri, expected):
    assert with_parameters(uri, [("code", "1")]) == expected


def test_invalid_uri_raises_value_error():
    with pytest.raises(ValueError, match="valid redirect URI"):
        with_parameters("nonsense", [])
