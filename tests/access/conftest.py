from tests.api.attack_fixtures import apis, caller, doors, token  # noqa: F401
