from rgcore import observables


def test_all_is_sorted_and_there() -> None:
    names = observables.__all__
    assert names == sorted(names)
    assert all(hasattr(observables, name) for name in names)
