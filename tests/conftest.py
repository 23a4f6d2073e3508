pytest_plugins = ["logto_auth.testing.pytest_plugin"]
