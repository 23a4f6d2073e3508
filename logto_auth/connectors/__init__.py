"""Logto's connectors: Alipay and other social providers, e-mail and SMS.

`lookup` finds connectors. `config` builds their configs, by the form of the factory (`forms`) and by the rules of
`alipay`. `actions` creates, updates and tests them. `sign_in_page` offers them to users. These modules are not public:
sites use `manage.py logto_connectors`.
"""

__all__: list[str] = []
