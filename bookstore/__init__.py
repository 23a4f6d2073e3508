"""A bookstore with sign-in by Logto: the demo site of logto_auth."""
