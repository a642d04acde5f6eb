"""Reading a measurement: quantities, levels, the collapse ratio, what is shown, files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from rgclient import LayerArray, LayerPoint, LayerSeries, NotMeasured, Result, UnreadableResult

SERIES = ["effective_rank", "participation_ratio", "stable_rank"]


@pytest.mark.parametrize("name", SERIES)
def test_a_quantity_has_a_number_for_each_layer(result: Result, name: Any) -> None:
    series = getattr(result, name)()
    assert isinstance(series, LayerSeries)
    assert series.mean == (11.0, 8.5, 7.0)
    assert (series.quantity, series.level, series.when) == (name, "position", "final")


def test_a_series_has_its_error_bars(result: Result) -> None:
    series = result.effective_rank(level="position")
    assert series.standard_error == pytest.approx((1.0, 0.5, 2.0))
    assert series.low == pytest.approx((9.0, 7.5, 3.0))
    assert series.high == pytest.approx((13.0, 9.5, 11.0))
    assert series.per_seed == {0: (10.0, 8.0, 5.0), 1: (12.0, 9.0, 9.0)}
    assert series.seeds == (0, 1)


def test_the_index_is_the_layer(result: Result) -> None:
    series = result.effective_rank()
    assert len(series) == 3
    assert isinstance(series[0], LayerPoint)
    assert series[0] == pytest.approx((0, 11.0, 1.0, 9.0, 13.0))
    assert series[-1].layer == 2
    assert [point.layer for point in series[1:]] == [1, 2]
    with pytest.raises(IndexError):
        series[3]


def test_a_series_is_iterable(result: Result) -> None:
    assert [(layer, mean) for layer, mean, *_ in result.effective_rank()] == [
        (0, 11.0), (1, 8.5), (2, 7.0),
    ]  # fmt: skip


def test_the_network_before_training(result: Result) -> None:
    assert result.effective_rank(when="initial").mean == (11.0, 11.0, 11.0)


def test_drift_is_between_layers(result: Result) -> None:
    assert result.kernel_drift().mean == (0.5, 0.25)


def test_the_spectrum_has_two_indexes(result: Result) -> None:
    spectrum = result.spectrum()
    assert isinstance(spectrum, LayerArray)
    assert spectrum.shape == (3, 2)
    assert spectrum.mean[1] == (0.75, 0.25)
    assert math.isnan(spectrum.standard_error[2][1])
    assert spectrum.per_seed == {}
    assert len(spectrum) == 3
    assert "shape (3, 2)" in repr(spectrum)


def test_any_quantity_by_name(result: Result) -> None:
    assert result.quantity("stable_rank", "pooled", "initial").level == "pooled"
    assert isinstance(result.quantity("spectrum"), LayerArray)


def test_the_level_of_flat_is_the_sequence(make_result: Any) -> None:
    flat = make_result(mixing="flat")
    assert flat.level == "sequence"
    assert flat.effective_rank().level == "sequence"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.quantity("rank"), "no quantity 'rank' at level 'position'.*effective_rank"),
        (lambda r: r.effective_rank("token"), "level 'token' was not measured.*position, pooled"),
        (lambda r: r.effective_rank(when="now"), "nothing was measured at 'now'.*initial, final"),
        (lambda r: r.losses(when="now"), "initial, final"),
        (lambda r: r.collapse_ratio("token"), "level 'token' was not measured"),
    ],
)
def test_what_was_not_measured_names_what_was(result: Result, call: Any, message: str) -> None:
    with pytest.raises(NotMeasured, match=message):
        call(result)


def test_a_null_is_nan_with_its_reason(make_result: Any) -> None:
    data = make_result(ranks={0: [10.0, 8.0, 5.0]}).data.model_dump(mode="json")
    rank = data["snapshots"][1]["levels"][0]["quantities"]["effective_rank"]
    rank["mean"][1] = rank["low"][1] = rank["high"][1] = rank["per_seed"]["0"][1] = None
    rank["reasons"] = {"constant_layer": [1]}
    series = Result(type(make_result().data).model_validate(data, strict=False)).effective_rank()
    assert series.mean[0] == 10.0
    assert math.isnan(series.mean[1])
    assert math.isnan(series.per_seed[0][1])
    assert series.reasons == {1: "constant_layer"}
    assert repr(series).splitlines()[3].endswith("constant_layer")


def test_one_seed_has_no_standard_error(make_result: Any) -> None:
    series = make_result(ranks={7: [10.0, 8.0, 5.0]}).effective_rank()
    assert all(map(math.isnan, series.standard_error))
    assert series.per_seed == {7: (10.0, 8.0, 5.0)}


def test_the_table_of_a_series(result: Result) -> None:
    lines = repr(result.effective_rank()).splitlines()
    assert lines[0] == "effective_rank, level position, final, 2 seeds"
    assert lines[1].split() == ["layer", "mean", "standard_error", "low", "high"]
    assert lines[2].split() == ["0", "11", "1", "9", "13"]
    assert len(lines) == 5


def test_the_html_of_a_series_is_a_table(result: Result) -> None:
    html = result.effective_rank()._repr_html_()
    assert html.count("<tr>") == 4
    assert "<td>8.5</td>" in html


def test_the_collapse_ratio_is_the_mean_of_the_ratios_of_the_seeds(result: Result) -> None:
    ratio = result.collapse_ratio()
    assert ratio.per_seed == {0: 0.5, 1: 0.75}
    assert ratio.mean == pytest.approx(0.625)
    assert ratio.standard_error == pytest.approx(0.125)
    assert repr(ratio) == ("CollapseRatio(0.62 ± 0.12, level='position', when='final', n_seeds=2)")


def test_the_collapse_ratio_before_training(result: Result) -> None:
    assert result.collapse_ratio(when="initial").mean == 1.0


def test_the_collapse_ratio_of_one_seed_has_no_error(make_result: Any) -> None:
    ratio = make_result(ranks={0: [10.0, 8.0, 5.0]}).collapse_ratio(level="pooled")
    assert ratio.mean == 0.5
    assert math.isnan(ratio.standard_error)


@pytest.mark.parametrize("first", [None, 0.0])
def test_a_seed_without_a_ratio_is_not_dropped_in_silence(make_result: Any, first: Any) -> None:
    ratio = make_result(ranks={0: [first, 8.0, 5.0], 1: [10.0, 9.0, 8.0]}).collapse_ratio()
    assert math.isnan(ratio.per_seed[0])
    assert ratio.per_seed[1] == 0.8
    assert math.isnan(ratio.mean)
    assert math.isnan(ratio.standard_error)


def test_the_facts_of_the_answer(result: Result) -> None:
    assert result.id == "exp1"
    assert result.seeds == (0, 1)
    assert result.chain.corr_len == 7.0
    assert result.losses().bayes_loss.mean == 1.5
    assert result.losses(when="initial").loss.mean == 2.0
    assert not result.under_trained


def test_the_repr_has_the_numbers_that_matter(result: Result) -> None:
    assert repr(result).splitlines() == [
        "Result exp1: xi = 7, random_reversible, depth 2, width 64, 2 seeds",
        "  seeds: 0, 1",
        "  loss: 2 ± 0 nats (Bayes 1.5 ± 0), excess 1 % of the gap",
        "  effective rank (position): 11.0 ± 1.0 at layer 0 -> 7.0 ± 2.0 at layer 2",
        "  collapse ratio: 0.62 ± 0.12",
    ]


def test_an_under_trained_network_is_flagged(make_result: Any) -> None:
    result = make_result(under_trained=True)
    assert "UNDER-TRAINED: the loss is 50 % of the gap above the Bayes loss" in repr(result)
    assert "UNDER-TRAINED" in result._repr_html_()
    assert result.under_trained


def test_a_trained_one_is_not(result: Result) -> None:
    assert "UNDER-TRAINED" not in repr(result) + result._repr_html_()


def test_the_html_escapes_what_the_server_says(make_result: Any) -> None:
    html = make_result(label="<img src=x onerror=alert(1)>")._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_level_that_is_not_the_default_is_shown_by_name(make_result: Any) -> None:
    assert "effective rank (pooled)" in repr(make_result(levels=("pooled",)))


def test_a_result_without_a_rank_is_shown_all_the_same(make_result: Any) -> None:
    assert "effective rank" not in repr(make_result(levels=()))


def test_what_is_saved_is_loaded(result: Result, tmp_path: Path) -> None:
    path = result.save(str(tmp_path / "r.json"))
    assert path == tmp_path / "r.json"
    assert Result.load(path) == result


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(UnreadableResult, match=r"r\.json is not a saved result"):
        Result.load(path)


def test_what_belongs_to_the_network_has_a_level_of_its_own(result: Result) -> None:
    assert result.relevance().mean == (0.5, 0.5, 0.5)
    assert result.relevance().level == "network"


def test_a_quantity_that_was_not_measured_names_those_that_were(result: Result) -> None:
    with pytest.raises(NotMeasured, match="relevance_posterior"):
        result.corr_len_flow()


def test_too_few_samples_are_said_with_the_levels(make_result: Any) -> None:
    result = make_result(too_few_samples=True)
    assert result.too_few_samples
    assert "TOO FEW SAMPLES at position, pooled" in repr(result)
    assert "TOO FEW SAMPLES" in result._repr_html_()


def test_a_series_says_how_many_samples_it_is_from(result: Result) -> None:
    assert (result.effective_rank().n, result.effective_rank().estimator) == (4096, "plug-in")


def test_the_shift_from_half_the_samples_is_nan_where_there_is_none(result: Result) -> None:
    assert all(map(math.isnan, result.effective_rank().half_shift))
