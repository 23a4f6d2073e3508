from tests.api.attack_fixtures import apis, caller, door, doors, token  # noqa: F401
