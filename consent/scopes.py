"""What an answer is about: all my work, one recording, one AI company, one tool, or both."""

from dataclasses import dataclass

from consent.models import AICompany, Permission, Recording, Tool


@dataclass(frozen=True, slots=True)
class Scope:
    """Empty: all my work. A company or a tool, not both; either may go with a recording."""

    recording: Recording | None = None
    company: AICompany | None = None
    tool: Tool | None = None

    @property
    def key(self) -> str:
        """The scope in one word, as `Permission.scope` holds it: `*/*`, `r12/t7`, `*/c3`."""
        return scope_key(
            self.recording.pk if self.recording else None,
            self.company.pk if self.company else None,
            self.tool.pk if self.tool else None,
        )

    @property
    def is_everything(self) -> bool:
        return self.recording is None and self.company is None and self.tool is None


EVERYTHING = Scope()


def scope_key(recording: int | None, company: int | None, tool: int | None) -> str:
    """The key of a scope, from the ids of what it names."""
    about = f"r{recording}" if recording else "*"
    maker = f"t{tool}" if tool else f"c{company}" if company else "*"
    return f"{about}/{maker}"


def scope_of(permission: Permission) -> Scope:
    """The scope of an answer that was given."""
    return Scope(permission.recording, permission.company, permission.tool)
