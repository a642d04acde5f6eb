"""The schema. Numbers live in float8 columns and arrays: jsonb does not keep every double."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rgcontract import DEVICES, State
from rgstore.plain import Float, Floats, Ints

Doubles = list[float]
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


_states = ", ".join(f"'{state}'" for state in State)
_devices = ", ".join(f"'{device}'" for device in DEVICES)


class ExperimentRow(Base):
    """A spec, shared by all who ask for it. Its runs are the work, `SubmissionRow` the wishes."""

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(primary_key=True)
    spec_hash: Mapped[str] = mapped_column(unique=True)
    training_hash: Mapped[str] = mapped_column(index=True)
    chain_hash: Mapped[str]
    spec_schema: Mapped[int] = mapped_column(server_default=text("1"))
    training_protocol: Mapped[int] = mapped_column(server_default=text("2"))
    protocol: Mapped[int]
    """These three say who can measure it: `rgcontract.Protocols`."""
    unread_by: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Workers that could not read its spec and do not take it again."""
    spec: Mapped[dict[str, Any]]
    """Without seeds: those are the runs."""
    family: Mapped[str]
    corr_len: Mapped[float]
    mixing: Mapped[str]
    depth: Mapped[int]
    width: Mapped[int]
    flops_per_run: Mapped[float]
    """Estimated operations of one seed; with the time it took, the speed of this lab."""
    label: Mapped[str | None]
    tags: Mapped[list[str]]
    priority: Mapped[int]
    owner: Mapped[str]
    """Who asked first; label, tags and priority are that request's. Others have their own."""
    state: Mapped[str]
    """Derived from all its runs, kept here so that a list can be filtered by it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]
    """When all its runs were done for the first time."""

    __table_args__ = (
        CheckConstraint(f"state IN ({_states})", name="state"),
        Index("ix_experiments_created_at_id", "created_at", "id"),
        # a list is narrowed by any of these and goes on from a (created_at, id)
        *(
            Index(f"ix_experiments_{name}_created_at_id", name, "created_at", "id")
            for name in ("state", "family", "mixing", "depth", "width", "owner")
        ),
        Index("ix_experiments_corr_len", "corr_len"),
        Index("ix_experiments_tags", "tags", postgresql_using="gin"),
    )


class RunRow(Base):
    """One training seed on one chain of an experiment: the unit of work, leases and retries."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    chain_seed: Mapped[int]
    seed: Mapped[int]
    state: Mapped[str]
    priority: Mapped[int]
    attempt: Mapped[int] = mapped_column(server_default="0")
    """Attempts begun; together with `lease_owner` the fence of every write."""
    shape: Mapped[str | None]
    """Queued runs of one shape may be trained as one fleet; null goes alone."""
    device: Mapped[str] = mapped_column(server_default=text("'any'"))
    """Kind of device that it waits for."""
    attempt_limit: Mapped[int]
    """A run that is lost at this attempt is failed and not queued again."""
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    """Written by workers of the release before, while they still run; dropped by the next."""
    phase: Mapped[str | None]
    fraction: Mapped[float] = mapped_column(server_default="0")
    step: Mapped[int] = mapped_column(server_default="0")
    loss: Mapped[float | None]
    error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("experiment_id", "chain_seed", "seed"),
        CheckConstraint(f"state IN ({_states})", name="state"),
        CheckConstraint(f"device IN ({_devices})", name="device"),
        CheckConstraint(
            "(state = 'running') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL)",
            name="lease",
        ),
        Index(
            "ix_runs_line",
            text("priority DESC"),
            "queued_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_runs_waiting", "device", postgresql_where=text("state = 'queued'")),
        Index(
            "ix_runs_shape",
            "shape",
            text("priority DESC"),
            "queued_at",
            "id",
            postgresql_where=text("state = 'queued' AND shape IS NOT NULL"),
        ),
        Index("ix_runs_lease_until", "lease_until", postgresql_where=text("state = 'running'")),
    )


class AttemptRow(Base):
    """One try of one worker at one run."""

    __tablename__ = "attempts"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    worker: Mapped[str]
    host: Mapped[str]
    device: Mapped[str]
    versions: Mapped[dict[str, Any]]
    spec_schema: Mapped[int] = mapped_column(server_default=text("1"))
    training_protocol: Mapped[int] = mapped_column(server_default=text("2"))
    protocol: Mapped[int] = mapped_column(server_default=text("3"))
    """What its worker implements; by default what those did that do not say it."""
    calibration: Mapped[dict[str, Any]]
    """Known answer -> whether this worker measured it within its tolerance."""
    fleet: Mapped[int] = mapped_column(server_default=text("1"))
    """Runs that were claimed together, this one included."""
    trained: Mapped[bool] = mapped_column(server_default=text("true"))
    """False where stored weights were measured and nothing was trained."""
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[str | None]
    traceback: Mapped[str | None]


_IMPLEMENTED = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    """
CREATE FUNCTION attempt_is_implemented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needs experiments;
BEGIN
    SELECT e.* INTO needs FROM experiments e JOIN runs r ON r.experiment_id = e.id
    WHERE r.id = NEW.run_id;
    IF (NEW.training_protocol, NEW.protocol) <> (needs.training_protocol, needs.protocol)
        OR NEW.spec_schema < needs.spec_schema
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = concat(
            'worker ', NEW.worker, ' implements measurement protocol ', NEW.protocol,
            ', training protocol ', NEW.training_protocol, ' and spec schema ', NEW.spec_schema,
            '; run ', NEW.run_id, ' takes ', needs.protocol, ', ', needs.training_protocol,
            ' and ', needs.spec_schema, ': upgrade the worker');
    END IF;
    RETURN NEW;
END $$
"""
)
_ON_ATTEMPTS = DDL(  # type: ignore[no-untyped-call]
    """
CREATE TRIGGER implemented BEFORE INSERT ON attempts
FOR EACH ROW EXECUTE FUNCTION attempt_is_implemented()
"""
)
"""Releases that claim whatever is first in line are kept from what they do not implement."""
event.listen(AttemptRow.__table__, "after_create", _IMPLEMENTED)
event.listen(AttemptRow.__table__, "after_create", _ON_ATTEMPTS)


class ResultRow(Base):
    """That a run has been measured, by which attempt. One per run: the key says so."""

    __tablename__ = "results"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int]
    measured_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seconds: Mapped[float]
    """Working time of the attempt."""
    curve_steps: Mapped[Counts]
    curve_losses: Mapped[Doubles]


class MeasurementRow(Base):
    """One quantity of one run, as a flat array with its shape."""

    __tablename__ = "measurements"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    when: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int]
    n_rows: Mapped[int]
    estimator: Mapped[str]
    shape: Mapped[Counts]
    values: Mapped[Doubles]
    """NaN where the quantity is not defined; `reasons` says why."""
    half: Mapped[Doubles | None]
    """The same from the first half of the samples."""
    reasons: Mapped[dict[str, Any]]


class SummaryRow(Base):
    """One quantity of an experiment over its measured runs, kept up to date by the workers."""

    __tablename__ = "summaries"

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    when: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int]
    n_rows: Mapped[int]
    estimator: Mapped[str]
    shape: Mapped[Counts]
    n_runs: Mapped[int]
    mean: Mapped[Doubles]
    standard_error: Mapped[Doubles]
    low: Mapped[Doubles]
    high: Mapped[Doubles]
    half_shift: Mapped[Doubles | None]
    """Mean of the values less those of the first half of the samples."""
    reasons: Mapped[dict[str, Any]]


class ChainRow(Base):
    """What is known exactly of one chain; experiments on the same chain share it."""

    __tablename__ = "chains"

    chain_hash: Mapped[str] = mapped_column(primary_key=True)
    seq_len: Mapped[int] = mapped_column(primary_key=True)
    """Decides how far the mutual information goes."""
    seed: Mapped[int]
    family: Mapped[str]
    n_states: Mapped[int]
    corr_len: Mapped[float]
    entropy_rate: Mapped[float]
    unigram_entropy: Mapped[float]
    eigenvalues_real: Mapped[Doubles]
    eigenvalues_imag: Mapped[Doubles]
    stationary: Mapped[Doubles]
    transition: Mapped[Doubles]
    """Row by row."""
    reversible: Mapped[bool]
    scale_corr_lens: Mapped[Doubles | None]
    mutual_information: Mapped[Doubles]
    corr_len_error: Mapped[float | None]
    """Null where rounding leaves it open, or it was not worked out yet."""


class AliasRow(Base):
    """A hash that rows were stored under before, and the one that their spec has today."""

    __tablename__ = "aliases"

    today: Mapped[str] = mapped_column(primary_key=True)
    stored: Mapped[str] = mapped_column(primary_key=True)


class TrainingRow(Base):
    """A network that has been trained: its curve. What it measured depends on who measures."""

    __tablename__ = "trainings"

    training_hash: Mapped[str] = mapped_column(primary_key=True)
    """Of the spec on one chain."""
    seed: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    versions: Mapped[dict[str, Any]]
    curve_steps: Mapped[Counts]
    curve_losses: Mapped[Doubles]
    trained_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WeightsRow(Base):
    """The weights of a training after so many steps: new observables need no new training."""

    __tablename__ = "weights"

    training_hash: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    data: Mapped[bytes] = mapped_column(deferred=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["training_hash", "seed"],
            ["trainings.training_hash", "trainings.seed"],
            ondelete="CASCADE",
            name="fk_weights_trainings",
        ),
    )


class StudyRow(Base):
    """A grid of experiments that someone asked for as one thing."""

    __tablename__ = "studies"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    axes: Mapped[dict[str, Any]]
    """Field -> its values, in the order in which the grid runs over them."""
    seeds: Mapped[list[int]]
    """Training seeds asked for; `target_error` may have added others to some experiments."""
    target_error: Mapped[float | None]
    max_seeds: Mapped[int]
    priority: Mapped[int]
    owner: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    findings: Mapped[dict[str, Any] | None]
    findings_at: Mapped[datetime | None]
    findings_due: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether something was measured since the findings were written."""

    __table_args__ = (
        Index("ix_studies_created_at_id", "created_at", "id"),
        Index("ix_studies_findings_due", "id", postgresql_where=text("findings_due")),
    )


class StudyExperimentRow(Base):
    """An experiment of a study, and where it lies in the grid."""

    __tablename__ = "study_experiments"

    study_id: Mapped[str] = mapped_column(
        ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True
    )
    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int]
    cell: Mapped[dict[str, Any]]
    """Its values on the axes."""

    __table_args__ = (Index("ix_study_experiments_experiment_id", "experiment_id"),)


class TokenRow(Base):
    """A bearer token, by its digest: the token itself is not stored."""

    __tablename__ = "tokens"

    digest: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]


class SubmissionRow(Base):
    """A request: what one person asked for of an experiment, which others may share.

    It was acknowledged; with an idempotency key it is answered the same again.
    """

    __tablename__ = "submissions"

    id: Mapped[int] = mapped_column(BigInteger(), Identity(), primary_key=True)
    owner: Mapped[str]
    idempotency_key: Mapped[str | None]
    body_hash: Mapped[str]
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    created: Mapped[bool]
    added_seeds: Mapped[list[int]]
    seeds: Mapped[list[int] | None]
    """Training seeds that it named; null where that was not kept."""
    wanted: Mapped[list[int] | None]
    """Seeds that it still wants, none once it is withdrawn; null for all that are there. A run that
    nobody wants is stopped."""
    label: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    priority: Mapped[int] = mapped_column(server_default="0")
    device: Mapped[str] = mapped_column(server_default=text("'any'"))
    """Kind of device that it asked for."""
    study_id: Mapped[str | None] = mapped_column(
        # at the end of the transaction: a study is stored after its experiments
        ForeignKey("studies.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    """The study that it is part of."""
    batch: Mapped[str | None]
    """Names submissions that came in one request, of which the first carries the key."""
    place: Mapped[int] = mapped_column(server_default="0")
    """In its batch."""
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("owner", "idempotency_key"),
        CheckConstraint(f"device IN ({_devices})", name="device"),
        Index("ix_submissions_experiment_id", "experiment_id"),
        Index("ix_submissions_tags", "tags", postgresql_using="gin"),
        Index(
            "ix_submissions_study_id_experiment_id",
            "study_id",
            "experiment_id",
            postgresql_where=text("study_id IS NOT NULL"),
        ),
        Index(
            "ix_submissions_batch_place",
            "batch",
            "place",
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )


class WorkerRow(Base):
    """A worker process and when it was last heard of."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    device: Mapped[str] = mapped_column(server_default=text("'cpu'"))
    """Kind of device it trains on."""
    spec_schema: Mapped[int] = mapped_column(server_default=text("1"))
    training_protocol: Mapped[int] = mapped_column(server_default=text("2"))
    protocol: Mapped[int] = mapped_column(server_default=text("3"))
    """What it implements: `rgcontract.Protocols`."""
    concurrency: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    heard_at: Mapped[datetime | None]
    """When a message last reached it; it sends itself one every few seconds."""


class LabRow(Base):
    """The lab itself; one row, which the migrations make."""

    __tablename__ = "lab"

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    id: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())

    __table_args__ = (CheckConstraint("single", name="single"),)
