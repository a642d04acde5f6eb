"""Training on masked-token prediction."""

from rgcore.random import derive_generator
from rgcore.training.checkpoint import TrainingCheckpoint
from rgcore.training.data import Batch, masked_batch
from rgcore.training.loop import DivergedError, Progress, TrainingTrace, train
from rgcore.training.plan import TrainingPlan

__all__ = [
    "Batch",
    "DivergedError",
    "Progress",
    "TrainingCheckpoint",
    "TrainingPlan",
    "TrainingTrace",
    "derive_generator",
    "masked_batch",
    "train",
]
