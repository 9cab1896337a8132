"""Two logins to one database: the application's, and the owner's for migrations."""

from typing import Any

from django.db.models import Model


class OwnerMigratesRouter:
    """Tables are made as the owner and used as the application.

    Queries go to ``default``, which is Django's own choice. The alias ``owner`` is for
    migrations only.
    """

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Allow migrations for the owner's login only."""
        return db == "owner"

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        """Allow relations between both logins' objects: it is the same database."""
        return True
