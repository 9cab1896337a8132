"""Who asks. Every route answers each of them, and the table says how."""

from enum import StrEnum


class Actor(StrEnum):
    """One kind of caller. What is asked for is always Maren's."""

    ANONYMOUS = "anonymous"
    SUSPENDED = "suspended"
    """Manages Maren, and may not sign in any more; her old session is still around."""
    CHARLIE = "charlie"
    """Signs in, and has access to nothing."""
    ARTIST = "artist"
    """Maren Holt herself."""
    OTHER_ARTIST = "other artist"
    """Aoi Tanaka."""
    MANAGER = "manager"
    """Of Maren's management."""
    EX_MANAGER = "ex-manager"
    """Was with Maren's management, and was let in by Maren too; both have ended."""
    OTHER_MANAGER = "other manager"
    """Of Aoi's management."""
    MANAGER_OF_BOTH = "manager of both"
    """Ines, on both rosters."""
    ASSISTANT = "assistant"
    """Sees Maren's work, no money, and changes nothing."""
    LABEL_STAFF = "label staff"
    """Of Fjord Records, Maren's label."""
    OTHER_LABEL_STAFF = "other label's staff"
    """Of Kestrel Music."""
    UNASSIGNED_STAFF = "staff of no label"
    OPERATOR = "operator"
    """The operator's own staff; no artist has let her in."""
    API_CLIENT = "API client"
    """Tonewright's machine, which works with Maren."""
    OTHER_API_CLIENT = "other API client"
    """Oceanic's machine."""


MACHINES = frozenset({Actor.API_CLIENT, Actor.OTHER_API_CLIENT})
NOBODY = frozenset({Actor.ANONYMOUS, Actor.SUSPENDED}) | MACHINES
"""Who is nobody to a page: signed out, or with a key, which opens no page."""
STAFF = frozenset(
    {Actor.LABEL_STAFF, Actor.OTHER_LABEL_STAFF, Actor.UNASSIGNED_STAFF, Actor.OPERATOR}
)

MAY_KNOW_MAREN = frozenset(
    {
        Actor.ARTIST,
        Actor.MANAGER,
        Actor.MANAGER_OF_BOTH,
        Actor.ASSISTANT,
        Actor.LABEL_STAFF,
        Actor.OPERATOR,
        Actor.API_CLIENT,
    }
)
MAY_KNOW_AOI = frozenset(
    {
        Actor.OTHER_ARTIST,
        Actor.OTHER_MANAGER,
        Actor.MANAGER_OF_BOTH,
        Actor.OTHER_LABEL_STAFF,
        Actor.OPERATOR,
        Actor.OTHER_API_CLIENT,
    }
)
