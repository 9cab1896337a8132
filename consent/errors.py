"""The domain's own voice of error: a code for machines, a plain sentence, and what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.utils.functional import Promise


class Refused(Exception):
    """The domain will not do this. Carried unchanged into forms and API problems.

    `code` never changes its meaning; `sentence` says what is wrong and, where there is something
    to do, what. `field` names the input it is about, if one: the path to it, where it is one of
    several (`attributions/2/isrc`, counted from 0).
    """

    def __init__(
        self,
        code: str,
        sentence: str | Promise,
        *,
        field: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.field = field
        self._sentence = sentence
        self.params = dict(params or {})
        super().__init__(code)

    @property
    def sentence(self) -> str:
        text = str(self._sentence)
        return text % self.params if self.params else text

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class NotFound(Refused):
    """There is no such thing, or it is out of this person's reach: the two look the same."""


class Frozen(Refused):
    """The ledger's audit failed: nothing new is allowed until it is clear why."""


def refused_by(error: ValidationError) -> Refused:
    """The first problem that `full_clean()` found, as a domain error."""
    if hasattr(error, "error_dict"):
        field, problems = next(iter(error.error_dict.items()))
    else:
        field, problems = "", error.error_list
    problem = problems[0]
    message = str(problem.messages[0])
    return Refused(problem.code or "invalid", message, field="" if field == "__all__" else field)


@contextmanager
def refusing(model: type[Model]) -> Iterator[None]:
    """Raise what a constraint of `model` refuses as a domain error, in the constraint's own words.

    For writes that cannot pay for asking each constraint beforehand, which `full_clean()` does with
    a query apiece. Around a whole transaction: the database has given up on the one inside.
    """
    try:
        yield
    except IntegrityError as error:
        broken = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        for constraint in model._meta.constraints:
            if constraint.name == broken:
                code = constraint.violation_error_code or "invalid"
                raise Refused(code, constraint.violation_error_message or code) from error
        raise
