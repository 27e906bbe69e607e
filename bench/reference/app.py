"""The design that the portal is measured against: FastAPI and asyncpg, a heartbeat that is a POST and then a GET.

Routes, SQL, table and indexes are those of the original request for presence, word for word where it gives them;
what it leaves open (signing in, the pool) is done in the plainest usual way. Run by bench/servers.py in a virtual
environment of its own. It must not import anything of the portal.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

SECRET_KEY = os.environ["REFERENCE_SECRET_KEY"]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(os.environ["REFERENCE_DATABASE_URL"])
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def get_db(request: Request) -> AsyncIterator[Any]:
    async with request.app.state.pool.acquire() as connection:
        yield connection


async def get_current_user(request: Request) -> dict[str, Any]:
    """The signed token alone: no look at the database, which makes this the fastest check there can be."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(status_code=401)
    try:
        claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(status_code=401) from None
    return {"id": int(claims["sub"])}


@app.post("/user_page_presence")
async def update_user_presence(
    presence_data: dict[str, Any],
    current_user: dict[str, Any] = Depends(get_current_user),  # noqa: B008
    db: Any = Depends(get_db),  # noqa: B008
) -> Any:
    await db.execute(
        """
        INSERT INTO user_page_presence (user_id, page_identifier, last_seen)
        VALUES ($1, $2, $3)
        ON CONFLICT (user_id, page_identifier)
        DO UPDATE SET last_seen = $3
    """,
        current_user["id"],
        presence_data["page_identifier"],
        datetime.utcnow(),  # noqa: DTZ003
    )
    return {"status": "updated"}


@app.get("/user_page_presence/{page_identifier}")
async def get_page_presence(page_identifier: str, db: Any = Depends(get_db)) -> Any:  # noqa: B008
    cutoff_time = datetime.utcnow() - timedelta(minutes=2)  # noqa: DTZ003
    users = await db.fetch(
        """
        SELECT p.id, p.first_name, p.last_name, p.email, upp.last_seen
        FROM user_page_presence upp
        JOIN profiles p ON p.id = upp.user_id
        WHERE upp.page_identifier = $1
          AND upp.last_seen > $2
        ORDER BY upp.last_seen DESC
    """,
        page_identifier,
        cutoff_time,
    )
    return [dict(user) for user in users]
