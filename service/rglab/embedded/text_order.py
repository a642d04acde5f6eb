"""Whether a database orders text as every new embedded one does. It cannot be changed in place."""

from __future__ import annotations

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from rglab.embedded.cluster import LOCALE

ASKED = text(
    "SELECT datlocprovider = 'b' AND datlocale = :locale, coalesce(datlocale, datcollate) "
    "FROM pg_database WHERE datname = current_database()"
)


def remark(url: str) -> str | None:
    """What to say of an embedded database of an earlier release; None if it is as new ones are."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            same, found = connection.execute(ASKED, {"locale": LOCALE}).one()
    except DBAPIError:
        return None  # whoever needs the database says what is wrong with it
    finally:
        engine.dispose()
    if same:
        return None
    return (
        f"order and letter case of text in this database follow {found}, the locale of the shell "
        f"that made it, not {LOCALE}; nothing measured depends on it, and its indexes stay valid"
    )
