"""Select the pages that are in use, for lists of records."""

from sqlalchemy import Integer, Select, cast, func, select

from portal.config.current import current_settings
from portal.presence.models import UserPagePresence


def numbers_in_use(kind: str, reader_id: int) -> Select[int]:
    """Select the numbers of the pages of this kind that users other than the reader have open.

    Whether the reader may see a page is the condition of the list.
    """
    window = func.make_interval(0, 0, 0, 0, 0, 0, current_settings().presence.active_window_seconds)
    return select(cast(func.split_part(UserPagePresence.page_identifier, "-", 2), Integer)).where(
        UserPagePresence.page_identifier.startswith(f"{kind}-", autoescape=True),
        UserPagePresence.user_id != reader_id,
        UserPagePresence.last_seen > func.now() - window,
    )
