"""How the portal reaches its servers: two database logins, and a cache that bears an outage."""
