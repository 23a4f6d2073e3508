"""The table of versions, proved by the recordings and by the emulator."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, fields
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.emulator.versions import VERSIONS, LogtoVersion
from tests.recorded import recording

from .conftest import started
from .exchanges import Exchange
from .proofs import PROOFS, WITHOUT_RECORDING
from .replay import Replay
from .replay_management import ManagementReplay
from .replay_tokens import TokensReplay
from .test_keys_and_discovery import KeysReplay, confirmed_sign_out

DIFFERENCES = [field.name for field in fields(LogtoVersion) if field.name != "name"]
RECORDED = [(field, version) for field, proof in PROOFS.items() for version in proof.recorded_in]


def test_each_difference_has_a_proof() -> None:
    assert set(DIFFERENCES) == set(PROOFS) | set(WITHOUT_RECORDING)
    assert not set(PROOFS) & set(WITHOUT_RECORDING)


@pytest.mark.parametrize("field", DIFFERENCES)
def test_each_difference_differs(field: str) -> None:
    assert len({asdict(version)[field] for version in VERSIONS.values()}) > 1


@pytest.mark.parametrize(("field", "version"), RECORDED)
def test_recording_shows_the_difference(field: str, version: str) -> None:
    proof = PROOFS[field]
    shown = proof.read(recording(proof.recording, proof.recorded_in[version]))
    assert shown == getattr(VERSIONS[version], field)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("field", PROOFS)
def test_emulator_shows_the_difference(logto_emulator: Emulator, field: str, version: str) -> None:
    proof = PROOFS[field]
    answer = _answer(started(logto_emulator, version), proof.recording)
    assert proof.read(answer) == getattr(VERSIONS[version], field)


def _answer(emulator: Emulator, path: str) -> Any:
    """Return the emulator's answer in the form of the recording."""
    folder, _, name = path.rpartition("/")
    if name == "backchannel_blocked_by_guard":
        return confirmed_sign_out(emulator)
    kinds: dict[str, tuple[Any, ...]] = {
        "": (Replay, ManagementReplay),
        "tokens": (TokensReplay,),
        "tenant": (KeysReplay,),
    }
    kind = next(each for each in kinds[folder] if hasattr(each, name))
    with closing(kind(emulator)) as replay:
        answer = getattr(replay, name)()
    return asdict(answer) if isinstance(answer, Exchange) else answer
