"""A bookstore that signs its readers in with Logto: the demo site of logto_auth."""
