"""Training a network on masked-token prediction, resumable to the bit."""

from rgcore.random import derive_generator
from rgcore.training.checkpoint import TrainingCheckpoint
from rgcore.training.data import BatchStream, StreamState, masked_block
from rgcore.training.plan import PlanError, TrainingPlan
from rgcore.training.rules import OPTIMIZERS
from rgcore.training.schedule import SCHEDULES, learning_rate
from rgcore.training.trace import DivergedError, TrainingTrace
from rgcore.training.train import Progress, train

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "BatchStream",
    "DivergedError",
    "PlanError",
    "Progress",
    "StreamState",
    "TrainingCheckpoint",
    "TrainingPlan",
    "TrainingTrace",
    "derive_generator",
    "learning_rate",
    "masked_block",
    "train",
]
