"""The portal's own tables: people, their rosters, what they are told and what they fetched."""

from portal.models.account import User

__all__ = ["User"]
