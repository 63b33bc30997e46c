//! HTTP interface: sessions, passkeys, OpenAPI, events; serves the wallet.
