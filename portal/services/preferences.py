"""What a person chooses for herself: her name, her language, her time zone."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused, refused_by
from portal.models import User


@transaction.atomic
def change_preferences(*, by: User, name: str, locale: str, time_zone: str) -> User:
    """Change how `by` is named here, in which language she reads and whose clock she sees.

    `locale` is one of `settings.LANGUAGES`, `time_zone` an IANA name. Raises `Refused` with the
    field that is wrong; nothing is changed then.
    """
    if locale not in dict(settings.LANGUAGES):
        raise Refused("locale", _("Choose one of the languages that are offered."), field="locale")
    user = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    user.name = name.strip()
    user.locale = locale
    user.time_zone = time_zone
    try:
        user.full_clean(exclude={"password", "email"})
    except ValidationError as error:
        raise refused_by(error) from error
    user.save(update_fields=["name", "locale", "time_zone"])
    return user
