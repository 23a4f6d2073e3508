from tests.api.attack_fixtures import apis, caller, door, doors, stock_doors, token  # noqa: F401
