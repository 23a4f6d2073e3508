from collections.abc import Callable, Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.emulator.versions import VERSIONS

from .exchanges import Exchange, recorded
from .names import NAMES, Names
from .recorded_on_head import recorded_for
from .replay import Replay
from .replay_management import ManagementReplay


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """The version of Logto: the test runs with what was recorded for each."""
    return request.param


@pytest.fixture
def emulator(logto_emulator: Emulator, version: str) -> Emulator:
    """An emulator as after its start: an empty tenant and one key."""
    return started(logto_emulator, version)


@pytest.fixture
def replay(emulator: Emulator) -> Iterator[Replay]:
    """An emulator with the settings of the recorded Logto."""
    replay = Replay(emulator)
    yield replay
    replay.close()


@pytest.fixture
def names(version: str) -> Names:
    """The names in the recordings of the version."""
    return NAMES[version]


@pytest.fixture
def management(logto_emulator: Emulator) -> Iterator[ManagementReplay]:
    """The Management API of an emulator with the settings of the recorded Logto."""
    replay = ManagementReplay(started(logto_emulator, "1.41"))
    yield replay
    replay.close()


@pytest.fixture(params=["recording", "emulator"])
def exchange(request: pytest.FixtureRequest, version: str) -> Callable[..., Exchange]:
    """Return a function that gives an exchange by name: once the recorded one, once that of the emulator."""
    if request.param == "recording":
        return lambda name, *index: recorded(name, *index, version=version)
    replay: Replay = request.getfixturevalue("replay")
    return lambda name, *index: getattr(replay, name)(*index)


@pytest.fixture(params=["recording", "emulator"])
def token(request: pytest.FixtureRequest, version: str) -> Callable[[str], Any]:
    """Return a function that gives a decoded token by name: once the recorded one, once that of the emulator."""
    if request.param == "recording":
        return lambda name: recorded_for(name, version)
    replay: Replay = request.getfixturevalue("replay")
    return lambda name: getattr(replay, name)()


def started(emulator: Emulator, version: str) -> Emulator:
    """Return the emulator with an empty tenant and one new key. The outbound guard is off, as in the recordings."""
    emulator.reset(tenant=True)
    emulator.like = version
    emulator.keys.clear()
    return emulator
