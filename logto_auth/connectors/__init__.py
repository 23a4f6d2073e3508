"""Logto's connectors: Alipay and other social providers, e-mail and SMS."""
