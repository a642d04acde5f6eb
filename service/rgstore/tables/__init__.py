"""The schema, a file for each aggregate."""

from rgstore.tables.audit import AuditRow
from rgstore.tables.base import Base
from rgstore.tables.bounds import bound
from rgstore.tables.experiments import AliasRow, ExperimentRow
from rgstore.tables.inspections import InspectionRow
from rgstore.tables.lab import LabRow
from rgstore.tables.measurements import ChainRow, MeasurementRow, ResultRow, SummaryRow
from rgstore.tables.people import ChargeRow, SubmissionRow, TokenRow, UserRow
from rgstore.tables.runs import AttemptRow, RunRow
from rgstore.tables.studies import StudyExperimentRow, StudyRequestRow, StudyRow
from rgstore.tables.timings import TimingRow
from rgstore.tables.trainings import TrainingRow, WeightsRow
from rgstore.tables.workers import WorkerRow

__all__ = [
    "AliasRow",
    "AttemptRow",
    "AuditRow",
    "Base",
    "ChainRow",
    "ChargeRow",
    "ExperimentRow",
    "InspectionRow",
    "LabRow",
    "MeasurementRow",
    "ResultRow",
    "RunRow",
    "StudyExperimentRow",
    "StudyRequestRow",
    "StudyRow",
    "SubmissionRow",
    "SummaryRow",
    "TimingRow",
    "TokenRow",
    "TrainingRow",
    "UserRow",
    "WeightsRow",
    "WorkerRow",
]

for _table in Base.metadata.tables.values():
    bound(_table)
