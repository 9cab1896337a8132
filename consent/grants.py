"""What the application's login may do in the database, said in migrations.

The owner's login makes the tables; the application's uses them. These operations run as
the owner, inside a migration::

    operations = [
        grants.OpenSchema(),                              # once, in the first migration
        grants.Protect("consent_ledgerevent"),            # SELECT only
        grants.Protect("royalties_posting", insert=True), # SELECT and INSERT
    ]

The name of the application's login is that of the connection ``default``, never written
into a migration.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

APPEND_ONLY_SQLSTATE = "LN001"
"""The SQLSTATE of a refused change: class ``LN`` is ours, no standard class begins so."""

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: what is written there stays as it is',
        TG_OP, TG_TABLE_NAME
    USING ERRCODE = '{APPEND_ONLY_SQLSTATE}',
        HINT = 'Write a new row that corrects the old one.';
END
$$
"""


# `ReadOnly` leaves this comment at a table, so that no later `OpenSchema` opens it again.
_READ_ONLY = "read only for the application"

# Not "ON ALL TABLES": done a second time, that would open the protected ones again.
_GRANT_ON_OPEN_TABLES = """
DO $$
DECLARE
    open_table regclass;
BEGIN
    FOR open_table IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND NOT EXISTS (
                SELECT FROM pg_trigger
                WHERE tgrelid = pg_class.oid AND tgname = 'append_only_rows'
            )
            AND obj_description(oid, 'pg_class') IS DISTINCT FROM '%(read_only)s'
    LOOP
        EXECUTE format('GRANT %(rights)s ON %%s TO %(role)s', open_table);
    END LOOP;
END
$$
"""


def application_role() -> str:
    """Return the name of the application's login."""
    return str(settings.DATABASES["default"]["USER"])


class Rights(Operation):
    """A migration's operation on rights alone: it runs statements and changes no model."""

    reduces_to_sql = True
    reversible = True

    def forwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """The statements that do it."""
        raise TypeError("an operation on rights says what it does")

    def backwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """The statements that take it back."""
        return ()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change no model."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run `forwards`."""
        for statement in self.forwards(schema_editor):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run `backwards`."""
        for statement in self.backwards(schema_editor):
            schema_editor.execute(statement, params=None)


class OpenSchema(Rights):
    """Let the application read and write the tables of this schema, those to come included.

    Goes into the first migration that needs it; doing it again changes nothing. It also
    takes from the application the writes on ``django_migrations``.
    """

    def forwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Grant."""
        q = schema_editor.quote_name
        role = q(application_role())
        rights = "SELECT, INSERT, UPDATE, DELETE"
        return (
            f"GRANT USAGE ON SCHEMA public TO {role}",
            _GRANT_ON_OPEN_TABLES % {"rights": rights, "role": role, "read_only": _READ_ONLY},
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON TABLES TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM {role}",
            _FUNCTION,
        )

    def describe(self) -> str:
        """Say what this does."""
        return "Let the application's login use the tables"


class Protect(Rights):
    """Make `table` append-only, by privilege and by trigger.

    The application keeps SELECT, and INSERT only with ``insert=True``: without it a
    SECURITY DEFINER function of the owner's is the only way in. The triggers refuse
    UPDATE, DELETE and TRUNCATE to everybody, the owner and replication sessions included
    (``ENABLE ALWAYS``), with SQLSTATE ``LN001``.
    """

    def __init__(self, table: str, insert: bool = False) -> None:
        self.table = table
        self.insert = insert

    def forwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Revoke, and install both triggers."""
        return protect_sql(schema_editor, self.table, insert=self.insert)

    def backwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Take the triggers away and give the writes back."""
        q = schema_editor.quote_name
        table, role = q(self.table), q(application_role())
        return (
            f"DROP TRIGGER IF EXISTS append_only_rows ON {table}",
            f"DROP TRIGGER IF EXISTS append_only_table ON {table}",
            f"GRANT INSERT, UPDATE, DELETE ON {table} TO {role}",
        )

    def describe(self) -> str:
        """Say what this does."""
        return f"Make {self.table} append-only"


class ReadOnly(Rights):
    """Let the application read `table` and nothing else; the owner's functions write it."""

    def __init__(self, table: str) -> None:
        self.table = table

    def forwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Revoke every write."""
        q = schema_editor.quote_name
        table, role = q(self.table), q(application_role())
        return (
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM {role}",
            f"COMMENT ON TABLE {table} IS '{_READ_ONLY}'",
        )

    def backwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Give the writes back."""
        q = schema_editor.quote_name
        table, role = q(self.table), q(application_role())
        return (
            f"COMMENT ON TABLE {table} IS NULL",
            f"GRANT INSERT, UPDATE, DELETE ON {table} TO {role}",
        )

    def describe(self) -> str:
        """Say what this does."""
        return f"Let the application read {self.table}"


class Allow(Rights):
    """Let the application call one function of the owner's, as in `ledger_append(uuid, …)`."""

    def __init__(self, function: str) -> None:
        self.function = function

    def forwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Grant EXECUTE."""
        role = schema_editor.quote_name(application_role())
        return (f"GRANT EXECUTE ON FUNCTION {self.function} TO {role}",)

    def backwards(self, schema_editor: BaseDatabaseSchemaEditor) -> Iterable[str]:
        """Take it back."""
        role = schema_editor.quote_name(application_role())
        return (f"REVOKE EXECUTE ON FUNCTION {self.function} FROM {role}",)

    def describe(self) -> str:
        """Say what this does."""
        return f"Let the application call {self.function}"


def protect_sql(
    schema_editor: BaseDatabaseSchemaEditor, table: str, *, insert: bool = False
) -> list[str]:
    """Return the statements with which `Protect` makes `table` append-only."""
    q = schema_editor.quote_name
    name, role = q(table), q(application_role())
    taken = "UPDATE, DELETE, TRUNCATE" if insert else "INSERT, UPDATE, DELETE, TRUNCATE"
    return [
        _FUNCTION,
        f"REVOKE ALL ON {name} FROM PUBLIC",
        f"REVOKE {taken} ON {name} FROM {role}",
        f"DROP TRIGGER IF EXISTS append_only_rows ON {name}",
        f"DROP TRIGGER IF EXISTS append_only_table ON {name}",
        f"CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {name}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER append_only_rows",
        f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER append_only_table",
    ]
