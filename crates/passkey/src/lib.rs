//! Passkey assertions over our own challenge, TOTP, and a software authenticator for tests and demos.
