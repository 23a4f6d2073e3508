"""The OpenID Connect provider: discovery, authorization, tokens, userinfo, sign-out and back-channel logout.

Its modules read requests and write answers. Their data is in `state` and `instances`."""
