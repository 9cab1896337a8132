"""The person who signs in."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    _EmailField = models.EmailField[str, str]
else:
    _EmailField = models.EmailField


def validate_time_zone(name: str) -> None:
    """Refuse a name that the IANA time zone database does not hold."""
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/Oslo."),
            code="unknown_time_zone",
            params={"name": name},
        )


class LowercaseEmailField(_EmailField):
    """An e-mail address kept in lower case, so that one address means one person.

    Values are lowered on assignment from forms, on save and in lookups:
    ``User.objects.get(email="Maren@Fjord.example")`` finds ``maren@fjord.example``.
    """

    def to_python(self, value: Any) -> Any:
        """Lower the case of whatever a form or a fixture brings."""
        text = super().to_python(value)
        return text.lower() if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        """Lower the case of what is written or looked up."""
        prepared = super().get_prep_value(value)
        return prepared.lower() if isinstance(prepared, str) else prepared

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Let the instance show what the database will hold."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address; there are no user names."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who signs in with `email`.

        Without a password the person can sign in only after a password reset.
        Raises ``ValueError`` for an empty address and ``IntegrityError`` for one in use.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a member of the operator's staff who may do everything the admin offers."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by e-mail address, in any case. Raises ``User.DoesNotExist``."""
        return self.get(email=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: an artist, a manager, a member of a label's staff.

    What she may reach is not said here but by the rosters she is a member of. The
    ledger knows her by `ref` only, a random identifier without meaning, so that a
    name can be erased here and the ledger still verifies.
    """

    ref = models.UUIDField(
        _("reference"),
        default=uuid.uuid4,
        unique=True,
        editable=False,
        help_text=_("The name under which the ledger knows this person."),
    )
    email = LowercaseEmailField(
        _("e-mail address"),
        unique=True,
        error_messages={"unique": _("Somebody already signs in with this address.")},
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    locale = models.CharField(_("language"), max_length=10, default=settings.LANGUAGE_CODE)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text=_("Times are shown in this zone. Use a name such as Europe/Oslo."),
    )
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("May sign in to the admin.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear this instead of deleting a person.")
    )
    joined_at = models.DateTimeField(_("joined"), db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(
                name="user_email_is_lowercase",
                condition=models.Q(email=Lower("email")),
                violation_error_message=_("An e-mail address is kept in lower case."),
                violation_error_code="user_email_is_lowercase",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Return the name that other people see, or the address where none was given."""
        return self.name or self.email

    @property
    def works_in_admin(self) -> bool:
        """Whether this account is the operator's or a label's staff: it answers for no artist."""
        return self.is_staff or self.is_superuser

    def get_short_name(self) -> str:
        """Return the same as `get_full_name`: names are not cut where we cannot know how."""
        return self.get_full_name()
