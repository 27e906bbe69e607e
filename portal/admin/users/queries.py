"""Query the users for the users page."""

from collections.abc import Sequence

from sqlalchemy import Row, func, or_, select

from portal.auth import Profile
from portal.auth.mfa.totp import SecondFactor
from portal.extensions import db
from portal.text_input import search_words
from portal.web.pagination import PAGE_SIZE, Paging

MAX_SEARCH_LENGTH = 100


def clean_search(text: str) -> str:
    """Return the search text without characters that no name contains."""
    return search_words(text, MAX_SEARCH_LENGTH)


def page_of_users(search: str, page: int) -> tuple[Sequence[Row[Profile, bool]], Paging]:
    """Return one page of (profile, has_second_factor) whose name or email contains `search`.

    A page past the end becomes the last one.
    """
    matches = or_(
        func.strpos(func.lower(Profile.first_name + " " + Profile.last_name), search.lower()) > 0,
        func.strpos(func.lower(Profile.email), search.lower()) > 0,
    )
    total = db.session.scalar(select(func.count()).select_from(Profile).where(matches)) or 0
    paging = Paging.near(page, total)
    query = (
        select(Profile, SecondFactor.confirmed_at.is_not(None).label("has_second_factor"))
        .join(SecondFactor, SecondFactor.profile_id == Profile.id, isouter=True)
        .where(matches)
        .order_by(Profile.last_name, Profile.first_name, Profile.id)
        .limit(PAGE_SIZE)
        .offset(paging.offset)
    )
    return db.session.execute(query).all(), paging
