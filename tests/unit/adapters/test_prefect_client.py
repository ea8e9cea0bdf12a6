"""What PrefectClient has Prefect's own client ask."""

import pytest
from pydantic import SecretStr

from platformctl.adapters.prefect.client import PrefectClient
from platformctl.errors import ServerError
from platformctl.model.job_templates import own_template
from platformctl.model.observed import WorkPool
from recorded import Recorded

ID = "00000000-0000-4000-8000-00000000000a"
NOON = "2026-01-01T12:00:00Z"
PROCESS = {"variables": {"properties": {"env": {"title": "Variables"}}}, "job_configuration": {"env": "{{ env }}"}}
COLLECTIONS = {"prefect": {"process": {"default_base_job_configuration": PROCESS}}, "other": {}}
STORED = {"id": ID, "created": NOON, "updated": NOON, "name": "etl", "type": "warm", "default_queue_id": ID}


@pytest.fixture
def client(server: Recorded) -> PrefectClient:
    server.answer("GET /api/csrf-token", {"detail": "CSRF protection is disabled."}, status=422)
    return PrefectClient(f"{server.address}/api", SecretStr("admin:s3cret"))


def pool(type_: str = "warm", description: str = "loads") -> WorkPool:
    return WorkPool("etl", type_, 5, description, is_paused=True)


def test_a_pool_is_created_with_its_own_template(server: Recorded, client: PrefectClient) -> None:
    server.answer("POST /api/work_pools/", STORED, status=201)
    client.create_pool(pool())
    (asked,) = server.bodies("POST /api/work_pools/")
    assert asked["base_job_template"] == own_template("warm")
    del asked["base_job_template"]
    wanted = {"name": "etl", "type": "warm", "concurrency_limit": 5, "description": "loads", "is_paused": True}
    assert {name: asked[name] for name in wanted} == wanted
    assert server.asked[-1].headers["authorization"] == "Basic YWRtaW46czNjcmV0"  # admin:s3cret


def test_a_pool_of_prefects_own_type_has_the_servers_template(server: Recorded, client: PrefectClient) -> None:
    server.answer("GET /api/collections/views/aggregate-worker-metadata", COLLECTIONS)
    server.answer("POST /api/work_pools/", STORED, status=201)
    client.create_pool(pool("process", ""))
    client.create_pool(pool("of-the-future"))
    known, unknown = server.bodies("POST /api/work_pools/")
    assert known["base_job_template"] == PROCESS
    assert known.get("description") is None
    assert not unknown.get("base_job_template")


def test_a_pool_that_appeared_is_brought_to_values_alone(server: Recorded, client: PrefectClient) -> None:
    server.answer("POST /api/work_pools/", {"detail": "already exists"}, status=409)
    server.answer("PATCH /api/work_pools/etl", "", status=204)
    client.create_pool(pool())
    assert server.bodies("PATCH /api/work_pools/etl") == [{"concurrency_limit": 5, "description": "loads"}]


def test_an_update_names_only_what_changes(server: Recorded, client: PrefectClient) -> None:
    server.answer("PATCH /api/work_pools/etl", "", status=204)
    client.update_pool("etl", {"concurrency_limit": None})
    client.update_pool("etl", {"is_paused": False, "description": "new"})
    assert server.bodies("PATCH /api/work_pools/etl") == [
        {"concurrency_limit": None},
        {"is_paused": False, "description": "new"},
    ]


def test_job_variables_are_added_to_the_template_that_is_there(server: Recorded, client: PrefectClient) -> None:
    server.answer("GET /api/work_pools/etl", STORED | {"base_job_template": PROCESS})
    server.answer("PATCH /api/work_pools/etl", "", status=204)
    client.add_job_variables("etl", ("memory_limit",))
    (asked,) = server.bodies("PATCH /api/work_pools/etl")
    assert set(asked) == {"base_job_template"}
    variables = asked["base_job_template"]["variables"]["properties"]
    assert set(variables) == {"env", "memory_limit"}
    assert variables["env"] == {"title": "Variables"}
    assert set(asked["base_job_template"]["job_configuration"]) == {"env", "memory_limit"}


def test_a_refused_password_and_other_refusals_are_told_apart(server: Recorded, client: PrefectClient) -> None:
    server.answer("PATCH /api/work_pools/etl", "", status=401)
    server.answer("PATCH /api/work_pools/ml", {"detail": "no such field"}, status=422)
    for name, said in (
        ("etl", r"refuses the password of this platform \(401\)"),
        ("ml", "answered 422: no such field"),
        ("gone", "answered 404: .*Not Found"),
    ):
        with pytest.raises(ServerError, match=said):
            client.update_pool(name, {"description": ""})
