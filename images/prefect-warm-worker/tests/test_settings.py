"""The worker's settings: from its environment, with one error that names the variable."""

import pytest

from prefect_warm_worker.worker.settings import SettingsError, read_settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_WARM_WORKER_ON_STOP", "reschedule")
    monkeypatch.setenv("PREFECT_WARM_WORKER_RUN_MEMORY", "2g")
    found = read_settings()
    assert (found.on_stop, found.run_memory, found.grace, found.preload) == ("reschedule", 2 * 2**30, 60, None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ON_STOP", "explode", "PREFECT_WARM_WORKER_ON_STOP=explode: Input should be 'finish' or 'reschedule'."),
        ("GRACE", "-1", "PREFECT_WARM_WORKER_GRACE=-1: Input should be greater than or equal to 0."),
        (
            "RUN_MEMORY",
            "much",
            'PREFECT_WARM_WORKER_RUN_MEMORY=much: \'much\' is no size in mebibytes or gibibytes, such as "512m" or "2g".',
        ),
    ],
)
def test_a_value_that_means_nothing_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(f"PREFECT_WARM_WORKER_{name}", value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert str(caught.value) == said
