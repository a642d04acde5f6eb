"""What all tables share: how their types are stored and their constraints named.

Numbers live in float8 columns and arrays: jsonb does not keep every double.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, mapped_column

from rgcontract import DEVICES, Outcome, State
from rgcontract.roles import Role
from rgstore import clock
from rgstore.plain import Float, Floats, Ints

Doubles = list[float]
Moment = Annotated[datetime, mapped_column(default=clock.now(), server_default=clock.WRITTEN_AT)]
"""When a row was written."""
Counts = Annotated[list[int], mapped_column(Ints())]
"""Integers that come with a measurement."""


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        float: Float(),
        datetime: DateTime(timezone=True),
        Doubles: Floats(),
        bytes: LargeBinary(),
        list[int]: ARRAY(Integer()),
        list[str]: ARRAY(Text()),
        dict[str, Any]: JSON(),  # json, not jsonb: text goes in and out as it was
    }


STATES = ", ".join(f"'{state}'" for state in State)
OUTCOMES = ", ".join(f"'{outcome}'" for outcome in Outcome)
ROLES = ", ".join(f"'{role}'" for role in Role)
DEVICE_KINDS = ", ".join(f"'{device}'" for device in DEVICES)
