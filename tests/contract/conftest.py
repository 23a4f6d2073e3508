from collections.abc import Callable, Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.recorded import recording

from .exchanges import Exchange, recorded
from .replay import Replay
from .replay_management import ManagementReplay


@pytest.fixture
def emulator(logto_emulator: Emulator) -> Emulator:
    """An emulator as after its start: an empty tenant and one key."""
    logto_emulator.reset(tenant=True)
    logto_emulator.like = "1.41"
    logto_emulator.keys.clear()
    return logto_emulator


@pytest.fixture
def replay(emulator: Emulator) -> Iterator[Replay]:
    """An emulator with the settings of the recorded Logto."""
    replay = Replay(emulator)
    yield replay
    replay.close()


@pytest.fixture
def management(emulator: Emulator) -> Iterator[ManagementReplay]:
    """The Management API of an emulator with the settings of the recorded Logto."""
    replay = ManagementReplay(emulator)
    yield replay
    replay.close()


@pytest.fixture(params=["recording", "emulator"])
def exchange(request: pytest.FixtureRequest) -> Callable[..., Exchange]:
    """Return a function that gives an exchange by name: once the recorded one, once that of the emulator."""
    if request.param == "recording":
        return recorded
    replay: Replay = request.getfixturevalue("replay")
    return lambda name, *index: getattr(replay, name)(*index)


@pytest.fixture(params=["recording", "emulator"])
def token(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """Return a function that gives a decoded token by name: once the recorded one, once that of the emulator."""
    if request.param == "recording":
        return recording
    replay: Replay = request.getfixturevalue("replay")
    return lambda name: getattr(replay, name)()
