"""Reading the observables off a network, layer by layer, on fresh sequences."""

from rgcore.measurement.levels import LEVELS_OF, LevelError
from rgcore.measurement.measure import measure
from rgcore.measurement.moments import Moments
from rgcore.measurement.observe import REASONS, LevelMeasurement
from rgcore.measurement.result import LEAST_GAP, UNDER_TRAINED, Measurement

__all__ = [
    "LEAST_GAP",
    "LEVELS_OF",
    "REASONS",
    "UNDER_TRAINED",
    "LevelError",
    "LevelMeasurement",
    "Measurement",
    "Moments",
    "measure",
]
