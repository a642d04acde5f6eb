"""Reading the observables off a network, layer by layer, on fresh sequences."""

from rgcore.measurement.bayes_reference import BayesReference, bayes_reference
from rgcore.measurement.kernels import KERNELS, KernelError
from rgcore.measurement.level import LevelMeasurement
from rgcore.measurement.levels import LEVELS_OF, LevelError, full_context
from rgcore.measurement.measure import measure
from rgcore.measurement.moments import Moments
from rgcore.measurement.reasons import REASONS
from rgcore.measurement.result import LEAST_GAP, UNDER_TRAINED, Measurement

__all__ = [
    "KERNELS",
    "LEAST_GAP",
    "LEVELS_OF",
    "REASONS",
    "UNDER_TRAINED",
    "BayesReference",
    "KernelError",
    "LevelError",
    "LevelMeasurement",
    "Measurement",
    "Moments",
    "bayes_reference",
    "full_context",
    "measure",
]
