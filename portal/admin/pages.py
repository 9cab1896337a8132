"""Every subject that has pages; to be imported is to be registered."""

from portal.admin import (
    catalogue,
    claims,
    companies,
    ledger,
    licences,
    money,
    people,
    permissions,
    staff,
)

__all__ = [
    "catalogue",
    "claims",
    "companies",
    "ledger",
    "licences",
    "money",
    "people",
    "permissions",
    "staff",
]
