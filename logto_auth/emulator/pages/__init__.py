"""The pages that a user sees: sign-in, registration, consent, links with one-time tokens, and the stand-in for Alipay.

Logto's own pages are a JavaScript application. These are plain HTML at the same URLs, from the files in `templates/`.
"""
