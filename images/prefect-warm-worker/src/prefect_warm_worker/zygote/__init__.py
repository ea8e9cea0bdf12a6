"""The zygote, and the runs that its forks become: processes of their own, started by `python -m prefect_warm_worker.zygote`.

Nothing here is imported by the worker, and nothing of the worker's here.
"""
