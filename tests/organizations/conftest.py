from tests.api.attack_fixtures import apis, caller, doors, stock_doors, token  # noqa: F401
