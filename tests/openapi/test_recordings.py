"""The recorded exchanges match the document with its deviations, and each deviation is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .contract import Contract, Exchange
from .deviations import DEVIATIONS, Deviation
from .document import document, read_document
from .recordings import exchanges_of, names_of_recordings

# Recorded to see what Logto does with a request that the document does not have. Logto accepted them.
WRONG_REQUESTS = {
    "1.42/console/invitation_sent": "a variable of the site, which Logto passes on to its template",
    "1.42/errors/user_patch_form": "a form in place of JSON",
    "1.42/errors/user_unknown_key": "an unknown key, which Logto drops",
    "1.42/organizations/accepted_own_id": "an id, which Logto replaces",
    "1.42/organizations/accepted_unknown_key": "an unknown key, which Logto drops",
}
# The recording has a note in place of the body.
WITHOUT_BODY = {"1.42/tenant/well_known_phrases"}
RECORDINGS = [f"{version}/{name}" for version in ("1.41", "1.42") for name in names_of_recordings(version)]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(document())


def differences(contract: Contract, name: str) -> Iterator[str]:
    for exchange in exchanges_of(name):
        # What Logto rejects is wrong in many ways.
        if exchange.status < 400 and name not in WRONG_REQUESTS:
            yield from contract.request_differences(exchange)
        if name not in WITHOUT_BODY:
            yield from contract.answer_differences(exchange, allow_unknown_keys=name.startswith("1.41/"))


def test_many_exchanges_are_recorded() -> None:
    assert len(RECORDINGS) > 300


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_exchange_matches_document(contract: Contract, name: str) -> None:
    assert list(differences(contract, name)) == []


@pytest.mark.parametrize("name", WRONG_REQUESTS)
def test_wrong_recorded_request_is_found(contract: Contract, name: str) -> None:
    assert [each for exchange in exchanges_of(name) for each in contract.request_differences(exchange)] != []


def all_differences(contract: Contract, name: str) -> set[str]:
    """Return the differences, with those of refused requests: the type of a value may be right, and the value wrong."""
    requests = (text for each in exchanges_of(name) for text in contract.request_differences(each))
    return {*requests, *differences(contract, name)}


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: each.name.replace(" ", "-"))
def test_document_without_deviation_contradicts_recording(contract: Contract, deviation: Deviation) -> None:
    without = Contract(read_document(each for each in DEVIATIONS if each is not deviation))
    assert deviation.recordings
    for name in deviation.recordings:
        assert all_differences(without, name) - all_differences(contract, name) != set(), name


def test_recorded_numbers_are_whole() -> None:
    """The generated types say `int` for what the document calls a number."""
    answers = (exchange.answer for name in RECORDINGS for exchange in exchanges_of(name))
    assert [number for answer in answers for number in fractions(answer)] == []


def fractions(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from fractions(each)


def test_every_status_of_an_exchange_is_compared(contract: Contract) -> None:
    exchange = Exchange("GET", "/api/users", None, 418, {})
    assert contract.answer_differences(exchange) == ["GET /users, answer 418: the document does not have this status"]
