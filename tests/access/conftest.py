from tests.api.attack_fixtures import apis, caller, doors, token  # noqa: F401
from tests.attacks.conftest import reader  # noqa: F401
