from tests.attacks.conftest import apis, caller, doors, stock_doors, token  # noqa: F401
