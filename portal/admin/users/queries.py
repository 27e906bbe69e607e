"""What the users page shows. Reads only."""

from collections.abc import Sequence

from sqlalchemy import Row, func, or_, select

from portal.auth import Profile
from portal.auth.mfa.totp import SecondFactor
from portal.extensions import db
from portal.text_input import search_words
from portal.web.pagination import PAGE_SIZE, Paging

MAX_SEARCH_LENGTH = 100


def clean_search(text: str) -> str:
    """What is searched for, without what no name holds."""
    return search_words(text, MAX_SEARCH_LENGTH)


def page_of_users(wanted: str, page: int) -> tuple[Sequence[Row[Profile, bool]], Paging]:
    """One page of (profile, has_second_factor) of those whose name or email has `wanted` in it.

    A page past the end becomes the last.
    """
    matches = or_(
        func.strpos(func.lower(Profile.first_name + " " + Profile.last_name), wanted.lower()) > 0,
        func.strpos(func.lower(Profile.email), wanted.lower()) > 0,
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
