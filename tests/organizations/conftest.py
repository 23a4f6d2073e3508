from tests.attacks.conftest import apis, caller, doors, reader, stock_doors, token, witness  # noqa: F401
