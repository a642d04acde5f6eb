"""What networks, trainings and measurements cost: arithmetic from their sizes, without torch.

Whoever forecasts, shares out the work or plans the passes of a measurement asks here.
"""

from rgcore.cost.learning import Factor, Sample, Source, factor, model_name
from rgcore.cost.measuring import (
    axis_lengths,
    measured_numbers,
    measurement_bytes,
    measurement_flops,
)
from rgcore.cost.parameters import parameter_count
from rgcore.cost.passes import Pass, measurement_passes
from rgcore.cost.run import RunCost, run_cost
from rgcore.cost.training import step_multiply_adds, training_bytes, training_flops
from rgcore.cost.work import Modelled, ShapeClass

__all__ = [
    "Factor",
    "Modelled",
    "Pass",
    "RunCost",
    "Sample",
    "ShapeClass",
    "Source",
    "axis_lengths",
    "factor",
    "measured_numbers",
    "measurement_bytes",
    "measurement_flops",
    "measurement_passes",
    "model_name",
    "parameter_count",
    "run_cost",
    "step_multiply_adds",
    "training_bytes",
    "training_flops",
]
