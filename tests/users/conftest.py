from tests.attacks.conftest import reader, witness  # noqa: F401
