"""Test users: a `Visitor` with a browser, and a `NativeVisitor` with an app on a phone.

They send real HTTP requests to a running emulator and follow its redirects and forms."""
