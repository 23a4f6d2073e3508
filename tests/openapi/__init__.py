"""The OpenAPI document of Logto's Management API: the types that are generated from it, and the contract test.

`document` reads the recorded document, and `deviations` has what recorded HTTP proves wrong in it. `generate` writes
`logto_auth/management_api/types.py`. `contract` compares an exchange with the document, and `recorder` does that
with each exchange of the emulators that tests run.
"""
