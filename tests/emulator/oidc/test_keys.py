import pytest
import requests
from joserfc import jwk, jws

from tests.emulator.relying_party import RelyingParty, header_of


def jwks_of(emulator):
    return requests.get(f"{emulator.endpoint}/oidc/jwks", timeout=5).json()["keys"]


def algs_of(emulator):
    discovery = requests.get(f"{emulator.endpoint}/oidc/.well-known/openid-configuration", timeout=5).json()
    return discovery["id_token_signing_alg_values_supported"]


@pytest.fixture
def relying_party(rotating_emulator):
    relying_party = RelyingParty(rotating_emulator, next(iter(rotating_emulator.tenant.applications.values())))
    yield relying_party
    relying_party.http.close()


def test_rotation_publishes_current_key_before_previous_key(rotating_emulator, relying_party):
    emulator = rotating_emulator
    (before,) = jwks_of(emulator)
    statuses = [key.status for key in emulator.rotate_keys()]
    after = jwks_of(emulator)
    assert statuses == ["Current", "Previous"]
    assert after[1] == before
    assert header_of(relying_party.sign_in()["id_token"])["kid"] == after[0]["kid"]
    emulator.rotate_keys()
    assert before not in jwks_of(emulator)


def test_next_key_is_published_before_it_signs(rotating_emulator, relying_party):
    emulator = rotating_emulator
    emulator.rotate_keys(grace_seconds=600)
    current, coming = jwks_of(emulator)
    assert header_of(relying_party.sign_in()["id_token"])["kid"] == current["kid"]
    with pytest.raises(ValueError, match="Next key exists"):
        emulator.rotate_keys()
    emulator.clock.advance(600)
    assert header_of(relying_party.sign_in()["id_token"])["kid"] == coming["kid"]
    assert [key["kid"] for key in jwks_of(emulator)] == [coming["kid"], current["kid"]]


def test_rsa_key_has_no_alg_and_uses_rs256(rotating_emulator, relying_party):
    emulator = rotating_emulator
    assert algs_of(emulator) == ["ES384"]
    emulator.rotate_keys("RSA")
    assert list(jwks_of(emulator)[0]) == ["kty", "use", "kid", "e", "n"]
    assert header_of(relying_party.sign_in()["id_token"])["alg"] == "RS256"
    assert algs_of(emulator) == ["ES384", "PS256", "RS256"]
    emulator.rotate_keys("RSA")
    assert algs_of(emulator) == ["PS256", "RS256"]


def test_unknown_algorithm_is_refused(rotating_emulator):
    with pytest.raises(ValueError, match="EC or RSA"):
        rotating_emulator.rotate_keys("HMAC")


def test_jwks_honours_if_none_match(emulator):
    for path in ("/oidc/jwks", "/oidc/.well-known/openid-configuration"):
        first = requests.get(emulator.endpoint + path, timeout=5)
        again = requests.get(emulator.endpoint + path, headers={"If-None-Match": first.headers["ETag"]}, timeout=5)
        assert (again.status_code, again.content) == (304, b"")


def test_urls_use_request_host_but_issuer_does_not(emulator):
    url = f"{emulator.endpoint}/oidc/.well-known/openid-configuration"
    body = requests.get(url, headers={"Host": "logto.example"}, timeout=5).json()
    assert body["issuer"] == emulator.issuer
    assert body["token_endpoint"] == "http://logto.example/oidc/token"


# Tokens with any content


def test_signed_token_verifies_with_published_key(emulator):
    token = emulator.sign({"sub": "x"})
    keys = jwk.KeySet.import_key_set({"keys": jwks_of(emulator)})
    assert jws.deserialize_compact(token, keys, algorithms=["ES384"]).payload == b'{"sub":"x"}'


def test_header_members_can_be_changed_and_removed(emulator):
    assert header_of(emulator.sign({}, header={"typ": "at+jwt", "kid": None})) == {"alg": "ES384", "typ": "at+jwt"}


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_alg_none_has_no_signature(emulator, alg):
    assert emulator.sign({}, header={"alg": alg}).endswith(".")


def test_foreign_key_has_its_own_kid(emulator):
    key = jwk.ECKey.generate_key("P-384")
    token = emulator.sign({}, key=key)
    assert header_of(token)["kid"] == key.thumbprint() != emulator.keys.current.kid
    assert emulator.keys.find(key.thumbprint()) is None


@pytest.mark.parametrize(
    ("header", "key", "alg"),
    [
        ({"alg": "HS256"}, jwk.OctKey.import_key("secret-of-the-application-000001"), "HS256"),
        ({"alg": "PS256"}, jwk.RSAKey.generate_key(2048), "PS256"),
        ({"alg": "ES256"}, jwk.ECKey.generate_key("P-256"), "ES256"),
        ({}, jwk.OKPKey.generate_key("Ed25519"), "EdDSA"),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_other_algorithms_can_sign(emulator, header, key, alg):
    token = emulator.sign({}, header=header, key=key)
    assert jws.deserialize_compact(token, key, algorithms=[alg])


@pytest.mark.parametrize("header", [{"alg": "HS256"}, {"alg": "ES512"}, {"alg": 7}, {"crit": ["b64"], "b64": False}])
def test_header_may_be_wrong(emulator, header):
    assert header_of(emulator.sign({}, header=header)) | header == header_of(emulator.sign({}, header=header))


def test_any_content_can_be_signed(emulator):
    assert emulator.sign("not json").count(".") == 2
    assert emulator.sign(b"\xff").count(".") == 2


@pytest.mark.parametrize("version", ["1.41", "1.42"])
def test_key_of_another_curve_alone_refuses_every_client(rotating_emulator, relying_party, version):
    """Tried on real servers with a key of P-256 that the operator provided."""
    emulator = rotating_emulator
    for _ in range(2):
        emulator.rotate_keys(curve="P-256")
    emulator.like = version
    answers = [
        relying_party.authorize(),
        relying_party.refresh("nope"),
        relying_party.post("token/introspection", token="nope"),
        relying_party.post("token/revocation", token="nope"),
        requests.get(relying_party.end_session_url(client_id=relying_party.application.id), timeout=5),
    ]
    described = {
        "error": "invalid_client_metadata",
        "error_description": "id_token_signed_response_alg must be 'ES256'",
    }
    for answer in answers:
        assert answer.status_code == 400
        assert answer.json().items() >= described.items()
    assert algs_of(emulator) == ["ES256"]


@pytest.mark.parametrize(("version", "alg"), [("1.41", "ES384"), ("1.42", "ES384"), ("head", "ES256")])
def test_previous_key_signs_if_only_it_has_the_required_curve(rotating_emulator, relying_party, version, alg):
    emulator = rotating_emulator
    emulator.like = version
    emulator.rotate_keys(curve="P-256")
    current, previous = jwks_of(emulator)
    header = header_of(relying_party.sign_in()["id_token"])
    assert (header["alg"], header["kid"]) == (alg, (current if alg == "ES256" else previous)["kid"])
    assert algs_of(emulator) == ["ES256", "ES384"]
