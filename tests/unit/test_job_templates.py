"""A job template gets what warm workers know, and keeps what somebody wrote into it."""

from platformctl.model.job_templates import lacking_variables, own_template, with_variables

TEMPLATE = {
    "job_configuration": {"command": "{{ command }}", "env": {"REGION": "north"}},
    "variables": {"type": "object", "properties": {"command": {"default": "python -m mine"}}},
}


def test_a_template_keeps_what_is_in_it() -> None:
    completed = with_variables(TEMPLATE, ("memory_limit",))

    assert completed["job_configuration"] == {**TEMPLATE["job_configuration"], "memory_limit": "{{ memory_limit }}"}
    assert completed["variables"]["properties"]["command"] == {"default": "python -m mine"}
    assert "memory_limit" not in TEMPLATE["job_configuration"]


def test_a_completed_template_lacks_nothing() -> None:
    lacking = lacking_variables(TEMPLATE)

    assert {"memory_limit", "max_run_seconds"} <= set(lacking)
    assert lacking_variables(with_variables(TEMPLATE, lacking)) == ()


def test_the_own_template_lacks_nothing_and_an_empty_one_is_still_to_be_made() -> None:
    assert lacking_variables(own_template("warm") or {}) == lacking_variables({}) == ()
    assert own_template("process") is None
